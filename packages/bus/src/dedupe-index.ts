import { type DedupeWindow, SAME_KEY_LIMIT } from './options.ts';

/** 64-bit hashes of a dedupe key and of the content, as pairs of 32-bit numbers. */
export interface DedupeHash {
  readonly keyHigh: number;
  readonly keyLow: number;
  readonly contentHigh: number;
  readonly contentLow: number;
}

/** An event in the window. `at` is the log's clock in ms when it was stored. */
export interface DedupeEntry extends DedupeHash {
  readonly position: number;
  readonly at: number;
}

/** What the window knows about a key. */
export interface DedupeFound {
  readonly type: 'duplicate' | 'mismatch';
  readonly position: number;
  /** Entries with that key; at `SAME_KEY_LIMIT` no more are remembered. */
  readonly count: number;
}

/** The dedupe window in memory: a ring of entries in order of time, and an open-addressing table over it. */
export interface DedupeIndex {
  /** Forgets what is older than the window, then looks a hash up. Called for every append with a key. */
  find(hash: DedupeHash, now: number): DedupeFound | undefined;
  add(entry: DedupeEntry): void;
  /** A mark to come back to with `rewind` when the transaction fails. */
  mark(): number;
  rewind(mark: number): void;
  /** The position of the oldest entry, undefined when there is none. */
  oldest(): number | undefined;
  size(): number;
}

/** Numbers per entry in the ring of 32-bit words: key high and low, content high and low. */
const WORDS = 4;
const FIRST_CAPACITY = 1024;

export function createDedupeIndex({ windowMs, count }: DedupeWindow): DedupeIndex {
  let ring = createRing(FIRST_CAPACITY);
  let head = 0;
  let tail = 0;

  const forget = (sequence: number): void => ring.remove(sequence);
  const expire = (now: number): void => {
    while (head < tail && ring.at(head) + windowMs <= now) forget(head++);
    while (tail - head > count) forget(head++);
  };
  const grow = (): void => {
    const larger = createRing(ring.capacity * 2);
    for (let sequence = head; sequence < tail; sequence++) larger.put(sequence, ring.entry(sequence));
    ring = larger;
  };
  return {
    find: (hash, now) => {
      expire(now);
      return ring.find(hash);
    },
    add: (entry) => {
      if (tail - head >= count) expire(entry.at);
      if (tail - head === ring.capacity) grow();
      ring.put(tail++, entry);
    },
    mark: () => tail,
    rewind: (mark) => {
      while (tail > mark && tail > head) forget(--tail);
    },
    oldest: () => (head < tail ? ring.entry(head).position : undefined),
    size: () => tail - head,
  };
}

interface Ring {
  readonly capacity: number;
  put(sequence: number, entry: DedupeEntry): void;
  remove(sequence: number): void;
  find(hash: DedupeHash): DedupeFound | undefined;
  entry(sequence: number): DedupeEntry;
  at(sequence: number): number;
}

/** A ring of `capacity` (a power of two) entries with its table of twice the size; 0 in the table is a free place. */
function createRing(capacity: number): Ring {
  const words = new Uint32Array(capacity * WORDS);
  const places = new Float64Array(capacity);
  const times = new Float64Array(capacity);
  const table = new Int32Array(capacity * 2);
  const mask = table.length - 1;
  const slotOf = (sequence: number): number => sequence & (capacity - 1);
  const homeOf = (slot: number): number => words[slot * WORDS + 1]! & mask;

  /** Closes the hole at `hole` by moving later entries of its run back (linear probing without tombstones). */
  const closeHole = (start: number): void => {
    let hole = start;
    for (let next = (hole + 1) & mask; table[next] !== 0; next = (next + 1) & mask) {
      const home = homeOf(table[next]! - 1);
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      table[hole] = table[next]!;
      hole = next;
    }
    table[hole] = 0;
  };
  return {
    capacity,
    put: (sequence, entry) => {
      const slot = slotOf(sequence);
      words.set([entry.keyHigh, entry.keyLow, entry.contentHigh, entry.contentLow], slot * WORDS);
      places[slot] = entry.position;
      times[slot] = entry.at;
      let place = homeOf(slot);
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = slot + 1;
    },
    remove: (sequence) => {
      const slot = slotOf(sequence);
      let place = homeOf(slot);
      while (table[place] !== slot + 1) place = (place + 1) & mask;
      closeHole(place);
    },
    find: ({ keyHigh, keyLow, contentHigh, contentLow }) => {
      let first: number | undefined;
      let count = 0;
      for (let place = keyLow & mask; table[place] !== 0; place = (place + 1) & mask) {
        const slot = table[place]! - 1;
        const at = slot * WORDS;
        if (words[at] !== keyHigh || words[at + 1] !== keyLow) continue;
        count++;
        const same = words[at + 2] === contentHigh && words[at + 3] === contentLow;
        if (same) return { type: 'duplicate', position: places[slot]!, count };
        first = Math.min(first ?? Number.POSITIVE_INFINITY, places[slot]!);
      }
      return first === undefined ? undefined : { type: 'mismatch', position: first, count };
    },
    entry: (sequence) => {
      const slot = slotOf(sequence);
      const at = slot * WORDS;
      return {
        keyHigh: words[at]!,
        keyLow: words[at + 1]!,
        contentHigh: words[at + 2]!,
        contentLow: words[at + 3]!,
        position: places[slot]!,
        at: times[slot]!,
      };
    },
    at: (sequence) => times[slotOf(sequence)]!,
  };
}

/** Whether another entry may be remembered under a key of which `found` is known. */
export const mayRemember = (found: DedupeFound | undefined): boolean => (found?.count ?? 0) < SAME_KEY_LIMIT;

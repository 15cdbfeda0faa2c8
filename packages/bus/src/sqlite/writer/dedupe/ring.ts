import { createSlotTable } from './hash-table.ts';

/** 64-bit hashes of a dedupe key and of the content, as pairs of 32-bit numbers. */
export interface DedupeHash {
  readonly keyHigh: number;
  readonly keyLow: number;
  readonly contentHigh: number;
  readonly contentLow: number;
}

/** An event in the window. `at` is log time in ms when it was stored. */
export interface DedupeEntry extends DedupeHash {
  readonly position: number;
  readonly at: number;
}

/** What the window knows about a key: its first event with the same content, or else its first event. */
export interface DedupeFound {
  readonly type: 'duplicate' | 'mismatch';
  readonly position: number;
  /** Entries with that key, forgotten ones included; at `SAME_KEY_LIMIT` no more are remembered. */
  readonly count: number;
}

/** A key that is not known, though entries with it may be there still. */
export type DedupeUnknown = { readonly type: 'unknown' } & Pick<DedupeFound, 'count'>;

/** Numbers per entry in the ring of 32-bit words: key high and low, content high and low. */
const WORDS = 4;

/** Entries by sequence number, of which at most `capacity` follow each other, found by their hash. */
export interface DedupeRing {
  readonly capacity: number;
  put(sequence: number, entry: DedupeEntry): void;
  remove(sequence: number): void;
  /** Looks a hash up among the entries later than `after`, and counts those that are not. */
  find(hash: DedupeHash, after: number): DedupeFound | DedupeUnknown;
  entry(sequence: number): DedupeEntry;
  at(sequence: number): number;
}

/** A ring of `capacity` (a power of two) entries. Made by the dedupe index, and again when that has to grow. */
export function createRing(capacity: number): DedupeRing {
  const words = new Uint32Array(capacity * WORDS);
  const places = new Float64Array(capacity);
  const times = new Float64Array(capacity);
  const table = createSlotTable(capacity, (slot) => words[slot * WORDS + 1]!);
  const slotOf = (sequence: number): number => sequence & (capacity - 1);

  const entryAt = (slot: number): DedupeEntry => {
    const [keyHigh = 0, keyLow = 0, contentHigh = 0, contentLow = 0] = words.subarray(slot * WORDS, (slot + 1) * WORDS);
    return { keyHigh, keyLow, contentHigh, contentLow, position: places[slot]!, at: times[slot]! };
  };
  const find = (hash: DedupeHash, after: number): DedupeFound | DedupeUnknown => {
    const { keyHigh, keyLow, contentHigh, contentLow } = hash;
    let first = Number.POSITIVE_INFINITY;
    let firstSame = Number.POSITIVE_INFINITY;
    let count = 0;
    let place = table.first(keyLow);
    for (let slot = table.slotAt(place); slot >= 0; place = table.next(place), slot = table.slotAt(place)) {
      const at = slot * WORDS;
      if (words[at] !== keyHigh || words[at + 1] !== keyLow) continue;
      count++;
      if (times[slot]! <= after) continue;
      first = Math.min(first, places[slot]!);
      const same = words[at + 2] === contentHigh && words[at + 3] === contentLow;
      if (same) firstSame = Math.min(firstSame, places[slot]!);
    }
    if (!Number.isFinite(first)) return { type: 'unknown', count };
    const isSame = Number.isFinite(firstSame);
    return { type: isSame ? 'duplicate' : 'mismatch', position: isSame ? firstSame : first, count };
  };
  return {
    capacity,
    put: (sequence, entry) => {
      const slot = slotOf(sequence);
      words.set([entry.keyHigh, entry.keyLow, entry.contentHigh, entry.contentLow], slot * WORDS);
      places[slot] = entry.position;
      times[slot] = entry.at;
      table.put(slot);
    },
    remove: (sequence) => table.remove(slotOf(sequence)),
    find,
    entry: (sequence) => entryAt(slotOf(sequence)),
    at: (sequence) => times[slotOf(sequence)]!,
  };
}

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

/** What the window knows about a key: its first event with the same content, or else its first event. */
export interface DedupeFound {
  readonly type: 'duplicate' | 'mismatch';
  readonly position: number;
  /** Entries with that key; at `SAME_KEY_LIMIT` no more are remembered. */
  readonly count: number;
}

/** Numbers per entry in the ring of 32-bit words: key high and low, content high and low. */
const WORDS = 4;

/** Entries by sequence number, of which at most `capacity` follow each other, found by their hash. */
export interface DedupeRing {
  readonly capacity: number;
  put(sequence: number, entry: DedupeEntry): void;
  remove(sequence: number): void;
  find(hash: DedupeHash): DedupeFound | undefined;
  entry(sequence: number): DedupeEntry;
  at(sequence: number): number;
}

/** A ring of `capacity` (a power of two) entries with its table of twice the size; 0 in the table is a free place. */
export function createRing(capacity: number): DedupeRing {
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
  const entryAt = (slot: number): DedupeEntry => {
    const [keyHigh = 0, keyLow = 0, contentHigh = 0, contentLow = 0] = words.subarray(slot * WORDS, (slot + 1) * WORDS);
    return { keyHigh, keyLow, contentHigh, contentLow, position: places[slot]!, at: times[slot]! };
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
      let first = Number.POSITIVE_INFINITY;
      let firstSame = Number.POSITIVE_INFINITY;
      let count = 0;
      for (let place = keyLow & mask; table[place] !== 0; place = (place + 1) & mask) {
        const slot = table[place]! - 1;
        const at = slot * WORDS;
        if (words[at] !== keyHigh || words[at + 1] !== keyLow) continue;
        count++;
        first = Math.min(first, places[slot]!);
        const same = words[at + 2] === contentHigh && words[at + 3] === contentLow;
        if (same) firstSame = Math.min(firstSame, places[slot]!);
      }
      if (count === 0) return undefined;
      const isSame = Number.isFinite(firstSame);
      return { type: isSame ? 'duplicate' : 'mismatch', position: isSame ? firstSame : first, count };
    },
    entry: (sequence) => entryAt(slotOf(sequence)),
    at: (sequence) => times[slotOf(sequence)]!,
  };
}

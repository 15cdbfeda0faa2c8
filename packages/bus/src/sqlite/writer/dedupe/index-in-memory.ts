import { type DedupeWindow, SAME_KEY_LIMIT } from '../../../shared/dedupe-window.ts';
import { createRing, type DedupeEntry, type DedupeFound, type DedupeHash, type DedupeUnknown } from './ring.ts';

/** The dedupe window in memory: a ring of entries in order of time, and an open-addressing table over it. */
export interface DedupeIndex {
  /**
   * Forgets what was stored at or before the time `lowest`, then looks a hash up among what was stored after `after`. Called
   * for every append with a key.
   */
  find(hash: DedupeHash, after: number, lowest: number): DedupeFound | DedupeUnknown;
  add(entry: DedupeEntry): void;
  /** A mark to come back to with `rewind` when the transaction fails. */
  mark(): number;
  rewind(mark: number): void;
  /** The position of the oldest entry, undefined when there is none. */
  oldest(): number | undefined;
  size(): number;
}

const FIRST_CAPACITY = 1024;

/** Makes an empty index; it grows with its entries up to `count` of them. Called by the dedupe store when a log is opened. */
export function createDedupeIndex({ count }: Pick<DedupeWindow, 'count'>): DedupeIndex {
  let ring = createRing(FIRST_CAPACITY);
  let head = 0;
  let tail = 0;

  const forget = (sequence: number): void => ring.remove(sequence);
  const trim = (): void => {
    while (tail - head > count) forget(head++);
  };
  const grow = (): void => {
    const larger = createRing(ring.capacity * 2);
    for (let sequence = head; sequence < tail; sequence++) larger.put(sequence, ring.entry(sequence));
    ring = larger;
  };
  return {
    find: (hash, after, lowest) => {
      while (head < tail && ring.at(head) <= lowest) forget(head++);
      trim();
      return ring.find(hash, after);
    },
    add: (entry) => {
      trim();
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

/** Whether another entry may be stored under a key with these known entries. */
export const mayRemember = ({ count }: DedupeFound | DedupeUnknown): boolean => count < SAME_KEY_LIMIT;

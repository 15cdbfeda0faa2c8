import { createRing, type DedupeEntry, type DedupeFound, type DedupeHash } from './dedupe-ring.ts';
import { type DedupeWindow, SAME_KEY_LIMIT } from './options.ts';

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

const FIRST_CAPACITY = 1024;

/** Makes an empty index; it grows with its entries up to `count` of them. Called by the dedupe store when a log is opened. */
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

/** Whether another entry may be remembered under a key of which `found` is known. */
export const mayRemember = (found: DedupeFound | undefined): boolean => (found?.count ?? 0) < SAME_KEY_LIMIT;

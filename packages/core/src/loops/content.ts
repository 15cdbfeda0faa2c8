import { createHash } from 'node:crypto';
import type { Event } from '@magpie/contract';

/** What makes two messages the same: where they come from and what they say. */
export type Content = Pick<Event, 'source' | 'address' | 'body'>;

/** Bytes of a body that the short hash reads at each end. */
const READ_BYTES = 32;
const PRIME = 0x01000193;

/** A number of 32 bits that is equal for equal contents and mostly differs for others (FNV-1a). Called per received event. */
export function shortHash({ source, address: { segments }, body }: Content): number {
  let hash = 0x811c9dc5 ^ body.byteLength;
  hash = mixText(hash, source);
  for (const segment of segments) hash = mixText(Math.imul(hash, PRIME), segment);
  const end = body.byteLength;
  const head = Math.min(end, READ_BYTES);
  for (let index = 0; index < head; index++) hash = Math.imul(hash ^ body[index]!, PRIME);
  for (let index = Math.max(head, end - READ_BYTES); index < end; index++) hash = Math.imul(hash ^ body[index]!, PRIME);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function mixText(start: number, text: string): number {
  let hash = start;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), PRIME);
  return hash;
}

/** The name of a content, different for different ones. Called per event of a content that comes often. */
export const nameOf = ({ source, address: { scheme, segments }, body }: Content): string =>
  createHash('sha256')
    .update(JSON.stringify([source, scheme, segments]))
    .update(body)
    .digest('base64');

/** Numbers that are counted apart. */
const BUCKETS = 65_536;
/** The length of a count, in ms. */
const COUNT_MS = 1000;
const MOST = 255;

/**
 * Counts per second how often each content comes in, in 64 KiB whatever the traffic. Two contents may share a count, so it
 * says which ones are worth an exact look and nothing more.
 */
export class ArrivalCounts {
  readonly #counts = new Uint8Array(BUCKETS);
  #second = -1;

  /** Counts one arrival; returns how many there were in this second. `at` is in ms since the epoch. Called per received event. */
  add(hash: number, at: number): number {
    const second = Math.floor(at / COUNT_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#counts.fill(0);
    }
    const bucket = hash % BUCKETS;
    const count = Math.min(MOST, this.#counts[bucket]! + 1);
    this.#counts[bucket] = count;
    return count;
  }
}

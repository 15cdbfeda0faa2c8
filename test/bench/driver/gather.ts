import { setTimeout as sleep } from 'node:timers/promises';
import type { Listener } from './ends/ends.ts';
import { observe } from './observe.ts';
import type { GatherOrder, GatherResult } from './specification.ts';

const WATCH_MS = 10;

/** Counts messages of another sender, each number once. */
export interface Gathering {
  readonly listener: Listener;
  /** Waits until all have arrived, or nothing has for `stallMs`. Rejects when an end fails. */
  wait(order: GatherOrder): Promise<GatherResult>;
}

/** Makes a gathering of the messages with the numbers below `count`. */
export function createGathering(count: number): Gathering {
  const seen = new Uint8Array(count);
  let gathered = 0;
  let duplicates = 0;
  let failure: Error | undefined;
  let complete: (() => void) | undefined;
  return {
    listener: {
      arrived: (sequence) => {
        if (sequence < 0 || sequence >= count) return;
        if (seen[sequence] === 1) {
          duplicates++;
          return;
        }
        seen[sequence] = 1;
        gathered++;
        if (gathered === count) complete?.();
      },
      refused: () => undefined,
      settled: () => undefined,
      failed: (error) => {
        failure ??= error;
      },
    },
    wait: async ({ pids, stallMs }) => {
      const before = gathered;
      const watch = observe(pids);
      const result = (): GatherResult => ({ ...watch.end(), before, gathered, duplicates });
      // Taken at the very arrival of the last one: a short run would be mostly waiting otherwise.
      let last: GatherResult | undefined = gathered === count ? result() : undefined;
      complete = () => {
        last = result();
      };
      let [known, moved] = [gathered, performance.now()];
      while (!last) {
        await sleep(WATCH_MS);
        if (failure) throw failure;
        const now = performance.now();
        if (gathered > known) [known, moved] = [gathered, now];
        if (now - moved > stallMs) break;
      }
      return last ?? result();
    },
  };
}

import { onAbort } from '@magpie/adapter-kit';
import { Aborted, type Clock, NotConnected } from '@magpie/contract';
import type { Life } from './life.ts';

/** PINGREQ and PINGRESP on one link. */
export interface Pings {
  /**
   * One round trip. Rejects with `NotConnected` after `timeout` ms or when the link ends, `Aborted` on the signal. A
   * busy broker that keeps sending gets up to four times as long.
   */
  ping(timeout: number, signal: AbortSignal): Promise<void>;
  /** Called on a PINGRESP. It answers all waiting pings. */
  answered(): void;
  /** Called per received chunk. */
  heard(): void;
}

/** Factor for the timeout of a broker that keeps sending. */
const PATIENCE = 4;

/** Makes the pings of one link; `request` sends a PINGREQ. */
export function createPings(request: () => void, life: Life, clock: Clock, where: string): Pings {
  let waiting: PromiseWithResolvers<void>[] = [];
  let heard = false;
  life.onEnd(({ error }) => {
    for (const ping of waiting) ping.reject(new NotConnected(error.message, { cause: error }));
  });
  return {
    answered() {
      for (const ping of waiting) ping.resolve();
    },
    heard() {
      heard = true;
    },
    async ping(timeout, signal) {
      if (life.state !== 'open') throw new NotConnected(`the link to ${where} is down`);
      const ping = Promise.withResolvers<void>();
      waiting.push(ping);
      let stop: () => void;
      const wait = (turn: number): void => {
        heard = false;
        stop = clock.timeout(timeout, () => {
          if (heard && turn < PATIENCE) return wait(turn + 1);
          ping.reject(new NotConnected(`the broker at ${where} did not answer a ping within ${turn * timeout} ms`));
        });
      };
      wait(1);
      const ignore = onAbort(signal, () => ping.reject(new Aborted('the ping was cancelled')));
      request();
      return ping.promise.finally(() => {
        stop();
        ignore();
        waiting = waiting.filter((other) => other !== ping);
      });
    },
  };
}

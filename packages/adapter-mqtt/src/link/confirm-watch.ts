import { type Clock, NotConnected } from '@magpie/contract';
import type { Exchanges } from './exchanges.ts';
import type { Life } from './life.ts';

/** Input of the watch over the broker's confirmations. */
export interface ConfirmWatch {
  /** Host and port, for messages. */
  readonly where: string;
  readonly clock: Clock;
  /** Longest wait for the broker's answer to one packet, ms. */
  readonly timeout: number;
  readonly exchanges: Exchanges;
}

/** Number of ticks per timeout; the link ends up to one tick late. */
const STRETCHES = 10;

/**
 * Ends the link when the broker answers pings but not our packets. One timer serves all packets, without reading the
 * clock per message; a suspended process counts at most one tick.
 */
export function watchConfirms({ where, clock, timeout, exchanges }: ConfirmWatch, life: Life): void {
  const turn = (): void => {
    if (exchanges.overdue(STRETCHES)) {
      life.end(new NotConnected(`the broker at ${where} has not confirmed a packet within ${timeout / 1000} s`));
    } else stop = clock.timeout(timeout / STRETCHES, turn);
  };
  let stop = clock.timeout(timeout / STRETCHES, turn);
  life.onEnd(() => stop());
}

import { type Clock, NotConnected } from '@magpie/contract';
import type { Exchanges } from './exchanges.ts';
import type { Life } from './life.ts';

/** What the watch over the broker's confirmations looks at. */
export interface ConfirmWatch {
  /** Host and port, for messages. */
  readonly where: string;
  readonly clock: Clock;
  /** Longest wait for the broker's answer to one packet, ms. */
  readonly timeout: number;
  readonly exchanges: Exchanges;
}

/** Into how many stretches the time is cut: the link ends up to one of them late. */
const STRETCHES = 10;

/**
 * Ends the link when the broker answers pings but not what we sent. One timer for all of it, and no look at the clock per
 * message; a process that stood still has lost one stretch at the most, not its patience.
 */
export function watchConfirms({ where, clock, timeout, exchanges }: ConfirmWatch, life: Life): void {
  const turn = (): void => {
    if (exchanges.overdue(STRETCHES)) {
      life.end(new NotConnected(`the broker at ${where} has not confirmed within ${timeout / 1000} s what we sent`));
    } else stop = clock.timeout(timeout / STRETCHES, turn);
  };
  let stop = clock.timeout(timeout / STRETCHES, turn);
  life.onEnd(() => stop());
}

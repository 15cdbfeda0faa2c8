import { Aborted, type Clock, type MagpieError, type SendReceipt, Unknown } from '@magpie/contract';
import { onAbort } from './abort.ts';

/** Where a published message was meant to go, and how big it is; the facts to find the culprit of a channel error by. */
export interface Sent {
  readonly exchange: string;
  readonly routingKey: string;
  readonly bytes: number;
}

/** A send that waits for the broker's confirmation. */
interface Waiting extends Sent {
  readonly at: number;
  /** The broker has returned the message: no queue took it. */
  returned: boolean;
  settle(error: MagpieError | undefined): void;
}

/** Sends without a confirmation, oldest first. */
export interface Outstanding {
  readonly size: number;
  /** Waits for the outcome of a send. Rejects with `Aborted` on the signal, `Unknown` after the confirm timeout. */
  add(id: string, sent: Sent, signal: AbortSignal): Promise<SendReceipt>;
  /** Marks a send as returned; the confirmation that follows then counts as a failure. */
  returned(id: string): void;
  /** Settles one send; `judge` makes the error, if any. Ignores ids that are not waiting any more. */
  settle(id: string, judge: (sent: Sent, returned: boolean) => MagpieError | undefined): void;
  /** Settles all; `judge` makes each one's error. */
  settleAll(judge: (sent: Sent) => MagpieError): void;
}

/** Time limits of the sends on one link. */
export interface OutstandingOptions {
  readonly clock: Clock;
  /** Longest wait for a confirmation, ms. */
  readonly timeout: number;
  /** While this holds no confirmation can come, and the time does not count. */
  readonly blocked: () => boolean;
}

const RECEIPT: SendReceipt = { confirmedBy: 'publisher-confirm' };

/** One timer watches all sends: they time out in the order in which they were made. */
export function createOutstanding({ clock, timeout, blocked }: OutstandingOptions): Outstanding {
  const waiting = new Map<string, Waiting>();
  let watched = false;
  let resumed = 0;

  const expire = (): void => {
    const now = clock.monotonic();
    if (blocked()) resumed = now;
    for (const [, { at, settle }] of waiting) {
      if (now - Math.max(at, resumed) < timeout) break;
      settle(new Unknown(`the broker has not confirmed within ${timeout / 1000} s; it may have the message`));
    }
  };
  const watch = (): void => {
    if (watched || waiting.size === 0) return;
    watched = true;
    clock.timeout(Math.min(1000, timeout), () => {
      watched = false;
      expire();
      watch();
    });
  };
  return {
    get size() {
      return waiting.size;
    },
    add: (id, sent, signal) =>
      new Promise((resolve, reject) => {
        const settle = (error: MagpieError | undefined): void => {
          waiting.delete(id);
          ignore();
          if (error) reject(error);
          else resolve(RECEIPT);
        };
        const ignore = onAbort(signal, () =>
          settle(new Aborted('sending was cancelled; the broker may have the message')),
        );
        waiting.set(id, { ...sent, at: clock.monotonic(), returned: false, settle });
        watch();
      }),
    returned(id) {
      const one = waiting.get(id);
      if (one) one.returned = true;
    },
    settle(id, judge) {
      const one = waiting.get(id);
      one?.settle(judge(one, one.returned));
    },
    settleAll(judge) {
      for (const one of [...waiting.values()]) one.settle(judge(one));
    },
  };
}

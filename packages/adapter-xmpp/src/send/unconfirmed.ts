import { onAbort } from '@magpie/adapter-kit';
import { Aborted, type Clock, type MagpieError, Unknown } from '@magpie/contract';

/** Sends that wait for their confirmation, and the ids of earlier ones, so that a late echo is not taken for news. */
export interface Sends {
  /**
   * Waits for the confirmation of a message that goes out now. Rejects with `Aborted` on the signal and with `Unknown`
   * after `timeout` ms. The key is the stanza id; `place` is the bare JID it goes to.
   */
  wait(id: string, place: string, timeout: number | undefined, signal: AbortSignal): Promise<void>;
  /** Whether we have sent this id to this place, recently. */
  knows(id: string, place: string): boolean;
  /** Whether a confirmation came when nobody waited for it any more. */
  confirmed(id: string, place: string): boolean;
  /** Confirms or refuses; false when nobody waits for it. */
  settle(id: string, place: string, error?: MagpieError): boolean;
  /** Refuses everything that waits, or only what went to one place. */
  settleAll(error: (id: string) => MagpieError, place?: string): void;
}

interface Waiting {
  readonly place: string;
  settle(error?: MagpieError): void;
}

/** How many ids of sent messages are remembered. */
const REMEMBERED = 10_000;

/** Nothing sent yet; one per connection, it outlives links. */
export function createSends(clock: Clock): Sends {
  const waiting = new Map<string, Waiting>();
  const known = new Map<string, 'sent' | 'confirmed'>();
  const keyOf = (id: string, place: string): string => `${place} ${id}`;
  const remember = (key: string): void => {
    known.delete(key);
    known.set(key, 'sent');
    const [oldest] = known.keys();
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
  };
  return {
    wait(id, place, timeout, signal) {
      const key = keyOf(id, place);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const settle = (error?: MagpieError): void => (error ? reject(error) : resolve());
      const late = (): void => reject(new Unknown(`no confirmation from ${place} within ${timeout} ms`));
      const cancel = timeout !== undefined ? clock.timeout(timeout, late) : undefined;
      const entry = { place, settle };
      remember(key);
      waiting.set(key, entry);
      const stop = onAbort(signal, () =>
        reject(new Aborted('cancelled while waiting for the confirmation', { cause: signal.reason })),
      );
      return promise.finally(() => {
        cancel?.();
        stop();
        if (waiting.get(key) === entry) waiting.delete(key);
      });
    },
    knows: (id, place) => known.has(keyOf(id, place)),
    confirmed: (id, place) => known.get(keyOf(id, place)) === 'confirmed',
    settle(id, place, error) {
      const key = keyOf(id, place);
      const entry = waiting.get(key);
      entry?.settle(error);
      if (!error && known.has(key)) known.set(key, 'confirmed');
      return entry !== undefined;
    },
    settleAll(error, place) {
      for (const [key, entry] of waiting) if (place === undefined || entry.place === place) entry.settle(error(key));
    },
  };
}

import { onAbort } from '@magpie/adapter-kit';
import { Aborted, type Clock, type MagpieError, Unknown } from '@magpie/contract';

interface Waiting {
  readonly place: string;
  settle(error?: MagpieError): void;
}

/** How many ids of sent messages are remembered. */
const REMEMBERED = 10_000;

/**
 * Sends that wait for their confirmation, and the ids of earlier ones, so that a late echo is not taken for news. The key of
 * a message is its stanza id and the bare JID it goes to. One per connection, it outlives links.
 */
export class Unconfirmed {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();
  readonly #known = new Map<string, 'sent' | 'confirmed'>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for the confirmation of a message that goes out now. Rejects with `Aborted` on the signal and with `Unknown`
   * after `timeout` ms.
   */
  wait(id: string, place: string, timeout: number | undefined, signal: AbortSignal): Promise<void> {
    const key = keyOf(id, place);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (error?: MagpieError): void => (error ? reject(error) : resolve());
    const late = (): void => reject(new Unknown(`no confirmation from ${place} within ${timeout} ms`));
    const cancel = timeout !== undefined ? this.#clock.timeout(timeout, late) : undefined;
    const entry = { place, settle };
    this.#remember(key);
    this.#waiting.set(key, entry);
    const stop = onAbort(signal, () =>
      reject(new Aborted('cancelled while waiting for the confirmation', { cause: signal.reason })),
    );
    return promise.finally(() => {
      cancel?.();
      stop();
      if (this.#waiting.get(key) === entry) this.#waiting.delete(key);
    });
  }

  /** Whether we have sent this id to this place, recently. */
  knows(id: string, place: string): boolean {
    return this.#known.has(keyOf(id, place));
  }

  /** Whether a confirmation came when nobody waited for it any more. */
  confirmed(id: string, place: string): boolean {
    return this.#known.get(keyOf(id, place)) === 'confirmed';
  }

  /** Confirms or refuses; false when nobody waits for it. */
  settle(id: string, place: string, error?: MagpieError): boolean {
    const key = keyOf(id, place);
    const entry = this.#waiting.get(key);
    entry?.settle(error);
    if (!error && this.#known.has(key)) this.#known.set(key, 'confirmed');
    return entry !== undefined;
  }

  /** Refuses everything that waits, or only what went to one place. */
  settleAll(error: MagpieError, place?: string): void {
    for (const entry of this.#waiting.values()) if (place === undefined || entry.place === place) entry.settle(error);
  }

  #remember(key: string): void {
    this.#known.delete(key);
    this.#known.set(key, 'sent');
    const [oldest] = this.#known.keys();
    if (this.#known.size > REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }
}

const keyOf = (id: string, place: string): string => `${place} ${id}`;

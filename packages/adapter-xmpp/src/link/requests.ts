import { randomUUID } from 'node:crypto';
import { onAbort } from '@magpie/adapter-kit';
import { Aborted, type Clock, type MagpieError, NotConnected } from '@magpie/contract';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import { isFrom } from '../codec/stanza/iq.ts';

interface Pending {
  readonly to: string | undefined;
  resolve(answer: Element): void;
  reject(error: MagpieError): void;
}

/** The unanswered requests of one link (RFC 6120 §8.2.3). */
export class Requests {
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #pending = new Map<string, Pending>();

  /** @param timeout longest time for an answer, ms. */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /**
   * Sends a request and resolves with the answer, a result or an error. Rejects with `NotConnected` without an answer,
   * `Aborted` on the signal.
   * @param to left out for the server and our own account.
   * @param send writes the iq.
   */
  async ask(
    question: { readonly type: 'get' | 'set'; readonly child: Element; readonly to?: string | undefined },
    send: (iq: Element) => void,
    signal?: AbortSignal,
  ): Promise<Element> {
    const { type, child, to } = question;
    const id = randomUUID();
    const { promise, resolve, reject } = Promise.withResolvers<Element>();
    this.#pending.set(id, { to, resolve, reject });
    const cancel = this.#clock.timeout(this.#timeout, () => {
      reject(new NotConnected(`no answer within ${this.#timeout} ms`));
    });
    const stop = signal && onAbort(signal, () => reject(new Aborted('cancelled', { cause: signal.reason })));
    try {
      send(xml('iq', { type, id, ...(to === undefined ? {} : { to }) }, child));
      return await promise;
    } finally {
      cancel();
      stop?.();
      this.#pending.delete(id);
    }
  }

  /**
   * Handles a result or an error. It counts only from the addressee of the request: anyone may send us one.
   * @param own our full JID.
   */
  answered(answer: Element, own: string): void {
    const pending = this.#pending.get(attribute(answer, 'id') ?? '');
    if (pending && isFrom(answer, pending.to, own)) pending.resolve(answer);
  }

  /** Rejects all requests because the link has ended. */
  end(error: MagpieError): void {
    for (const { reject } of this.#pending.values()) reject(new NotConnected(error.message));
    this.#pending.clear();
  }
}

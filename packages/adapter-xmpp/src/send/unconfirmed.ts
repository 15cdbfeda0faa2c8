import { onAbort } from '@magpie/adapter-kit';
import { Aborted, type Clock, type MagpieError, Unknown } from '@magpie/contract';
import type { Destination } from '../codec/encode.ts';
import { bareJid, normalJid } from '../codec/jid.ts';

interface Waiting {
  readonly to: string;
  settle(error?: MagpieError): void;
  /** Ends the time limit. */
  cancel(): void;
}

interface Sent extends Destination {
  confirmed: boolean;
  refused: boolean;
}

/** Number of remembered sent messages. */
const REMEMBERED = 10_000;

/**
 * Unconfirmed sends, and the destinations of recent messages, so that a late echo is not taken for a new message and an
 * answer counts only from the destination. Stanza ids are ours and unique. One per connection; outlives links.
 */
export class Unconfirmed {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();
  readonly #sent = new Map<string, Sent>();
  /** Our ids by those that rooms have given the same messages. */
  readonly #stamps = new Map<string, string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for the confirmation of a message being sent. Rejects with the error given to `settle`, `Aborted` on the
   * signal.
   */
  wait(id: string, destination: Destination, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const settle = (error?: MagpieError): void => (error ? reject(error) : resolve());
    const entry: Waiting = { to: destination.to, settle, cancel: () => undefined };
    this.#remember(id, destination);
    this.#waiting.set(id, entry);
    const stop = onAbort(signal, () =>
      reject(new Aborted('cancelled while waiting for the confirmation', { cause: signal.reason })),
    );
    return promise.finally(() => {
      entry.cancel();
      stop();
      if (this.#waiting.get(id) === entry) this.#waiting.delete(id);
    });
  }

  /** Called when the server has the message: without a confirmation within `timeout` ms it settles with `Unknown`. */
  expectWithin(id: string, timeout: number): void {
    const entry = this.#waiting.get(id);
    if (!entry) return;
    const late = (): void =>
      entry.settle(new Unknown(`no confirmation from ${entry.to} within ${timeout} ms`).concerning('place'));
    entry.cancel = this.#clock.timeout(timeout, late);
  }

  /** Whether a room's message is one that we recently sent there. */
  wentTo(id: string, room: string): boolean {
    const sent = this.#sent.get(id);
    return sent?.type === 'groupchat' && sent.to === room;
  }

  /**
   * Whether an error from this JID answers a message that we recently sent: only the room itself answers for a room,
   * any client may answer for an account.
   */
  answers(id: string, from: string): boolean {
    const sent = this.#sent.get(id);
    return sent !== undefined && (sent.to === normalJid(from) || (sent.type === 'chat' && sent.to === bareJid(from)));
  }

  /** Whether this JID may have received a message that we recently sent: in a room, each occupant. */
  reached(id: string, from: string): boolean {
    const sent = this.#sent.get(id);
    return sent !== undefined && bareJid(sent.to) === bareJid(from);
  }

  /** Whether a confirmation arrived after its caller had stopped waiting. */
  confirmed(id: string): boolean {
    return this.#sent.get(id)?.confirmed === true;
  }

  /** A room has given a message of ours an id, which others refer to it by. */
  stamped(id: string, stamp: string): void {
    this.#stamps.set(stamp, id);
    const [oldest] = this.#stamps.keys();
    if (this.#stamps.size > REMEMBERED && oldest !== undefined) this.#stamps.delete(oldest);
  }

  /** Our id of a recent message of ours, by that id or by the one of its room. */
  deliveryOf(id: string): string | undefined {
    return this.#stamps.get(id) ?? (this.#sent.has(id) ? id : undefined);
  }

  /** Whether its sender has been told that it was refused. */
  refused(id: string): boolean {
    return this.#sent.get(id)?.refused === true;
  }

  /** Confirms or refuses; false when nobody waits for it. */
  settle(id: string, error?: MagpieError): boolean {
    const entry = this.#waiting.get(id);
    entry?.settle(error);
    const sent = this.#sent.get(id);
    if (!error && sent) sent.confirmed = true;
    if (error && entry && sent) sent.refused = true;
    return entry !== undefined;
  }

  /** Refuses all waiting sends, or only those to one room. */
  settleAll(error: MagpieError, room?: string): void {
    for (const entry of this.#waiting.values()) if (room === undefined || entry.to === room) entry.settle(error);
  }

  #remember(id: string, destination: Destination): void {
    this.#sent.delete(id);
    this.#sent.set(id, { ...destination, confirmed: false, refused: false });
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > REMEMBERED && oldest !== undefined) this.#sent.delete(oldest);
  }
}

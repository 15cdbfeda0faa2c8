import type { MagpieError, Unknown } from '@magpie/contract';

/** Counters of stream management are unsigned 32 bit and wrap (XEP-0198 §4). */
const WRAP = 2 ** 32;

/** What the server may be told about the stanzas it sent: the number that are finished without a gap. */
export class InboundCounter {
  #finished: boolean[] = [];
  #floor: number;
  /** The first stanza in the list that is not covered by the floor. */
  #first = 0;
  /** How many were dropped from the front of the list. */
  #base = 0;

  /** @param handled where it goes on after a resumption. Finishers of an older counter do not touch this one. */
  constructor(handled = 0) {
    this.#floor = handled;
  }

  /** A stanza arrived; call the result once it is finished (a message: settled in the log). */
  arrive(): () => void {
    const index = this.#base + this.#finished.push(false) - 1;
    return () => {
      this.#finished[index - this.#base] = true;
      this.#advance();
    };
  }

  /** Stanzas finished without a gap: the `h` of `<a/>` and `<resume/>`. */
  get handled(): number {
    return this.#floor;
  }

  /** Stanzas that arrived but are not covered by `handled`. */
  get outstanding(): number {
    return this.#finished.length - this.#first;
  }

  #advance(): void {
    while (this.#finished[this.#first] === true) {
      this.#first += 1;
      this.#floor = (this.#floor + 1) % WRAP;
    }
    if (this.#first <= 1024) return;
    this.#finished.splice(0, this.#first);
    this.#base += this.#first;
    this.#first = 0;
  }
}

/** Hears that the server has taken a stanza, or that the link was lost before. */
export type Settle = (error?: MagpieError) => void;

interface Sent {
  readonly id: string | undefined;
  readonly bytes: number;
  /** Undefined when nobody waits for it, or nobody any more. */
  settle: Settle | undefined;
  /** Somebody waits for it, or did before the link was lost. */
  readonly tracked: boolean;
}

/** Stanzas sent since `<enable/>` and not acknowledged yet. */
export class OutboundQueue {
  #taken = 0;
  #queue: Sent[] = [];
  /** Ids of stanzas that the server had taken although their senders were told `Unknown`. */
  readonly #arrived = new Set<string>();

  /** A stanza goes out. `bytes` is its size, where somebody waits for it. */
  push(id: string | undefined, bytes = 0, settle?: Settle): void {
    this.#queue.push({ id, bytes, settle, tracked: settle !== undefined });
  }

  get length(): number {
    return this.#queue.length;
  }

  /** The server has taken `h` stanzas in all. False when that is more than were sent: a broken server. */
  acknowledge(h: number): boolean {
    const done = this.#takeUpTo(h);
    for (const { settle } of done ?? []) settle?.();
    return done !== undefined;
  }

  /**
   * The server has ended the stream because a stanza was too large for it: the largest that it has not taken is certainly
   * so. It settles with an error, and is not known any more.
   */
  refuseLargest(errorOf: (bytes: number) => MagpieError): void {
    const largest = this.#queue.reduce<Sent | undefined>(
      (found, sent) => (sent.settle && sent.bytes > (found?.bytes ?? 0) ? sent : found),
      undefined,
    );
    largest?.settle?.(errorOf(largest.bytes));
    if (largest) largest.settle = undefined;
  }

  /** The link is lost: every waiting stanza settles as `Unknown`, but stays known for a resumption. */
  lose(error: Unknown): void {
    for (const sent of this.#queue) {
      sent.settle?.(error);
      sent.settle = undefined;
    }
  }

  /**
   * The session is resumed and the server has taken `h`: what it had taken is remembered for `confirmed`, the rest is
   * forgotten, because its senders were told `Unknown` and send it again. False when `h` cannot be.
   */
  resume(h: number): boolean {
    const done = this.#takeUpTo(h);
    for (const { id, tracked } of done ?? []) if (tracked && id !== undefined) this.#arrived.add(id);
    this.#queue = [];
    return done !== undefined;
  }

  /** A new session counts from zero. */
  restart(): void {
    this.#taken = 0;
    this.#queue = [];
  }

  /** Whether a stanza with this id was taken by the server although its sender was told `Unknown`. Forgets it. */
  confirmed(id: string): boolean {
    return this.#arrived.delete(id);
  }

  #takeUpTo(h: number): Sent[] | undefined {
    const count = (h - this.#taken + WRAP) % WRAP;
    if (!Number.isInteger(h) || count > this.#queue.length) return undefined;
    this.#taken = h;
    return this.#queue.splice(0, count);
  }
}

import type { MagpieError, Unknown } from '@magpie/contract';

/** Counters of stream management are unsigned 32 bit and wrap (XEP-0198 §4). */
const WRAP = 2 ** 32;

/** Counts received stanzas that are finished without a gap, which may be reported to the server. */
export class InboundCounter {
  #finished: boolean[] = [];
  #floor: number;
  /** The first stanza in the list that is not covered by the floor. */
  #first = 0;
  /** Number of entries dropped from the front of the list. */
  #base = 0;

  /** @param handled start value after a resumption. Callbacks of an older counter do not affect this one. */
  constructor(handled = 0) {
    this.#floor = handled;
  }

  /** Counts an arrived stanza; call the result once it is finished (a message: settled in the log). */
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

/** Called when the server has acknowledged a stanza, or the link was lost before. */
export type Settle = (error?: MagpieError) => void;

interface Sent {
  readonly id: string | undefined;
  readonly bytes: number;
  /** Undefined when no caller waits for it. */
  settle: Settle | undefined;
  /** Whether a caller waits for it, or did before the link was lost. */
  readonly tracked: boolean;
}

/** Stanzas sent since `<enable/>` and not acknowledged yet. */
export class OutboundQueue {
  #taken = 0;
  #queue: Sent[] = [];
  /** Ids of stanzas that the server had received although their senders got `Unknown`. */
  readonly #arrived = new Set<string>();

  /** Adds a sent stanza. `bytes` is its size. */
  push(id: string | undefined, bytes = 0, settle?: Settle): void {
    this.#queue.push({ id, bytes, settle, tracked: settle !== undefined });
  }

  get length(): number {
    return this.#queue.length;
  }

  /** Acknowledges `h` stanzas in all. False when that is more than were sent: a faulty server. */
  acknowledge(h: number): boolean {
    const done = this.#takeUpTo(h);
    for (const { settle } of done ?? []) settle?.();
    return done !== undefined;
  }

  /**
   * Called when the server ended the stream because of a stanza's size: the largest unacknowledged one is certainly too
   * large. It is settled with an error and removed; nothing is blamed when it is one that no caller waits for, such as an answer.
   */
  refuseLargest(errorOf: (bytes: number) => MagpieError): void {
    const largest = this.#queue.reduce<Sent | undefined>(
      (found, sent) => (sent.bytes > (found?.bytes ?? 0) ? sent : found),
      undefined,
    );
    largest?.settle?.(errorOf(largest.bytes));
    if (largest) largest.settle = undefined;
  }

  /** Settles every waiting stanza as `Unknown` because the link is lost; all are kept for a resumption. */
  lose(error: Unknown): void {
    for (const sent of this.#queue) {
      sent.settle?.(error);
      sent.settle = undefined;
    }
  }

  /**
   * Called when the session is resumed and the server has received `h` stanzas: those are remembered for `confirmed`,
   * the rest is dropped, because its senders got `Unknown` and send it again. False when `h` is impossible.
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

  /** Whether the server received a stanza with this id although its sender got `Unknown`. Removes it. */
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

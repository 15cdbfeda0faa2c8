import { Unknown } from '@magpie/contract';

/** Counters of stream management are unsigned 32 bit and wrap (XEP-0198 §4). */
const WRAP = 2 ** 32;

/** What the server may be told about the stanzas it sent: the number that are finished without a gap. */
export interface InboundCounter {
  /** A stanza arrived; call the result once it is finished (a message: settled in the log). */
  arrive(): () => void;
  /** Stanzas finished without a gap: the `h` of `<a/>` and `<resume/>`. */
  handled(): number;
  /** Stanzas that arrived but are not covered by `handled`. */
  outstanding(): number;
}

/** A counter that goes on from `handled` after a resumption. Finishers of an older counter do not touch this one. */
export function createInboundCounter(handled = 0): InboundCounter {
  const finished: boolean[] = [];
  let floor = handled;
  let first = 0;
  const advance = (): void => {
    while (finished[first] === true) {
      first += 1;
      floor = (floor + 1) % WRAP;
    }
    if (first > 1024) {
      finished.splice(0, first);
      base += first;
      first = 0;
    }
  };
  let base = 0;
  return {
    arrive() {
      const index = base + finished.push(false) - 1;
      return () => {
        finished[index - base] = true;
        advance();
      };
    },
    handled: () => floor,
    outstanding: () => finished.length - first,
  };
}

interface Sent {
  readonly id: string | undefined;
  /** Somebody waits for it, or did before the link was lost. */
  readonly tracked: boolean;
  settle(error?: Unknown): void;
}

/** Stanzas sent since `<enable/>` and not acknowledged yet. */
export interface OutboundQueue {
  /** A stanza goes out; `settle` is called when the server has taken it, or with `Unknown` when the link is lost before. */
  push(id: string | undefined, settle?: (error?: Unknown) => void): void;
  readonly length: number;
  /** The server has taken `h` stanzas in all. False when that is more than were sent: a broken server. */
  acknowledge(h: number): boolean;
  /** The link is lost: every waiting stanza settles as `Unknown`, but stays known for a resumption. */
  lose(reason: string): void;
  /**
   * The session is resumed and the server has taken `h`: what it had taken is remembered for `confirmed`, the rest is
   * forgotten, because its senders were told `Unknown` and send it again. False when `h` cannot be.
   */
  resume(h: number): boolean;
  /** A new session counts from zero. */
  restart(): void;
  /** Whether a stanza with this id was taken by the server although its sender was told `Unknown`. Forgets it. */
  confirmed(id: string): boolean;
}

const ignore = (): void => undefined;

/** An empty queue that counts from zero. */
export function createOutboundQueue(): OutboundQueue {
  let taken = 0;
  let queue: Sent[] = [];
  const arrived = new Set<string>();
  const takeUpTo = (h: number): Sent[] | undefined => {
    const count = (h - taken + WRAP) % WRAP;
    if (!Number.isInteger(h) || count > queue.length) return undefined;
    taken = h;
    return queue.splice(0, count);
  };
  return {
    push: (id, settle = ignore) => void queue.push({ id, tracked: settle !== ignore, settle }),
    get length() {
      return queue.length;
    },
    acknowledge(h) {
      const done = takeUpTo(h);
      for (const { settle } of done ?? []) settle();
      return done !== undefined;
    },
    lose(reason) {
      queue = queue.map(({ id, tracked, settle }) => {
        settle(new Unknown(reason));
        return { id, tracked, settle: ignore };
      });
    },
    resume(h) {
      const done = takeUpTo(h);
      for (const { id, tracked } of done ?? []) if (tracked && id !== undefined) arrived.add(id);
      queue = [];
      return done !== undefined;
    },
    restart() {
      taken = 0;
      queue = [];
    },
    confirmed: (id) => arrived.delete(id),
  };
}

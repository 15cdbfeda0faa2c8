import { AbortWatch, Malformed } from '@magpie/adapter-kit';
import { Aborted, type Clock, type MagpieError, type SendReceipt, Unknown } from '@magpie/contract';

/** Id and address of a message, as in a broker's return. */
export interface SentPlace {
  readonly exchange: string;
  readonly routingKey: string;
  readonly id: string;
}

/** A published message; its address and size identify the cause of a channel error. */
export interface Sent extends SentPlace {
  readonly bytes: number;
}

/** Makes the error of a send, if any; `isReturned`: the broker returned the message. */
export type Judge = (sent: Sent, isReturned: boolean) => MagpieError | undefined;

/** Sends without a confirmation, oldest first. They are numbered from 1, in the order in which they are made. */
export interface Outstanding {
  readonly size: number;
  /** The number of the next send. */
  readonly next: number;
  /** Waits for the outcome of a send. Rejects with `Aborted` on the signal, `Unknown` after the confirm timeout. */
  add(sent: Sent, signal: AbortSignal): Promise<SendReceipt>;
  /**
   * Marks a message as returned; the confirmation that follows then counts as a failure. If several have the id, all of
   * them are marked; if none has it, all sent to the address; if none was sent there, all. A duplicate is better than a
   * loss.
   */
  returned(place: SentPlace): void;
  /**
   * Settles the send of a number, or all up to it. Ignores what is settled already. Throws `Malformed` for a number that was
   * not sent.
   */
  settle(number: number, multiple: boolean, judge: Judge): void;
  /** Settles all. */
  settleAll(judge: (sent: Sent) => MagpieError): void;
}

/** Time limits of the sends on one link. */
export interface OutstandingOptions {
  readonly clock: Clock;
  /** Longest wait for a confirmation, ms. */
  readonly timeout: number;
  /** Whether confirmations are blocked; the time does not count then. */
  readonly blocked: () => boolean;
}

const RECEIPT: SendReceipt = { confirmedBy: 'publisher-confirm' };

/** A send that waits for the broker's confirmation. */
class Waiting {
  readonly sent: Sent;
  readonly signal: AbortSignal;
  readonly at: number;
  readonly receipt: Promise<SendReceipt>;
  /** The broker has returned the message: no queue took it. */
  isReturned = false;
  isSettled = false;
  resolve!: (receipt: SendReceipt) => void;
  reject!: (error: MagpieError) => void;

  constructor(sent: Sent, signal: AbortSignal, at: number) {
    this.sent = sent;
    this.signal = signal;
    this.at = at;
    this.receipt = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** One timer serves all sends: they time out in the order of sending. */
export function createOutstanding({ clock, timeout, blocked }: OutstandingOptions): Outstanding {
  // A ring indexed by the low bits of the number. Everything before `first` is settled.
  let ring = new Array<Waiting | undefined>(64).fill(undefined);
  let first = 1;
  let next = 1;
  let size = 0;
  let watched = false;
  let resumed = 0;

  const finish = (waiting: Waiting, error: MagpieError | undefined): void => {
    if (waiting.isSettled) return;
    waiting.isSettled = true;
    size--;
    cancels.done(waiting);
    if (error) waiting.reject(error);
    else waiting.resolve(RECEIPT);
  };
  const cancels = new AbortWatch<Waiting>((waiting) =>
    finish(waiting, new Aborted('sending was cancelled; the message may have arrived')),
  );
  const expire = (): void => {
    const now = clock.monotonic();
    if (blocked()) resumed = now;
    for (let number = first; number < next; number++) {
      const waiting = ring[number & (ring.length - 1)];
      if (!waiting || waiting.isSettled) continue;
      if (now - Math.max(waiting.at, resumed) < timeout) break;
      finish(
        waiting,
        new Unknown(`the broker has not confirmed within ${timeout / 1000} s; the message may have arrived`),
      );
    }
  };
  const watch = (): void => {
    if (watched || size === 0) return;
    watched = true;
    clock.timeout(Math.min(1000, timeout), () => {
      watched = false;
      expire();
      watch();
    });
  };
  const grow = (): void => {
    const larger = new Array<Waiting | undefined>(ring.length * 2).fill(undefined);
    for (let number = first; number < next; number++) {
      larger[number & (larger.length - 1)] = ring[number & (ring.length - 1)];
    }
    ring = larger;
  };
  /** Takes out the send of a number, once. */
  const take = (number: number): Waiting | undefined => {
    const at = number & (ring.length - 1);
    const waiting = ring[at];
    ring[at] = undefined;
    return waiting;
  };
  function* unsettled(): Generator<Waiting> {
    for (let number = first; number < next; number++) {
      const waiting = ring[number & (ring.length - 1)];
      if (waiting && !waiting.isSettled) yield waiting;
    }
  }
  const settleOne = (number: number, judge: Judge): void => {
    const waiting = take(number);
    if (waiting && !waiting.isSettled) finish(waiting, judge(waiting.sent, waiting.isReturned));
  };
  return {
    get size() {
      return size;
    },
    get next() {
      return next;
    },
    add(sent, signal) {
      if (next - first === ring.length) grow();
      const waiting = new Waiting(sent, signal, clock.monotonic());
      ring[next++ & (ring.length - 1)] = waiting;
      size++;
      cancels.watch(waiting);
      watch();
      return waiting.receipt;
    },
    returned({ exchange, routingKey, id }) {
      const all = [...unsettled()];
      const there = all.filter(({ sent }) => sent.exchange === exchange && sent.routingKey === routingKey);
      const named = there.filter(({ sent }) => sent.id.toWellFormed() === id);
      const meant = [named, there].find((some) => some.length > 0) ?? all;
      for (const waiting of meant) waiting.isReturned = true;
    },
    settle(number, multiple, judge) {
      if (number >= next) throw new Malformed('a confirmation of a message that was not sent');
      for (let each = multiple ? first : Math.max(first, number); each <= number; each++) settleOne(each, judge);
      while (first < next && !ring[first & (ring.length - 1)]) first++;
    },
    settleAll(judge) {
      for (; first < next; first++) settleOne(first, judge);
    },
  };
}

import { errorMessage, type Sink, type Verdict } from '@magpie/contract';
import type { ConsumeMessage } from 'amqplib';
import { decode } from '../codec/decode.ts';
import type { WhenTooLarge } from '../config.ts';
import { createAckLedger } from './ack-window.ts';

/** The way of one channel's messages into the log and of the verdicts back. */
export interface Intake {
  /** Takes a delivered message. */
  take(message: ConsumeMessage): void;
  /** A delivered message that is larger than what can be kept; nothing of it was. */
  tooLarge(deliveryTag: number, bytes: number): void;
  /** Hands over at once what has been taken. */
  flush(): void;
  /** Resolves when everything taken has a verdict, or after `stop`. */
  settled(): Promise<void>;
  /** From now on nothing more is handed over and verdicts are ignored: the channel is gone. */
  stop(): void;
}

/** What one channel's intake works with. */
export interface IntakeOptions {
  readonly queue: string;
  /** The sender never gives two messages the same message-id. */
  readonly uniqueIds: boolean;
  readonly now: () => number;
  readonly sink: Sink;
  /** Everything up to this delivery tag is durable. */
  acknowledge(upTo: number): void;
  /** This delivery is durable; one before it stays with us. */
  acknowledgeOne(tag: number): void;
  /** What becomes of a message that cannot be kept: `reject` gives it to the queue's dead-letter exchange. */
  readonly whenTooLarge: WhenTooLarge;
  /** Gives a message back for good. */
  reject(tag: number): void;
  /** A message was too large, and dealt with. */
  refused(bytes: number): void;
  /** A message could not be stored; called at most once, the intake has stopped. */
  unavailable(reason: string): void;
}

/**
 * Messages of one loop turn go to the sink as one batch, so that one commit and one acknowledgement serve them all. The
 * broker's prefetch bounds what is taken.
 */
export function createIntake(options: IntakeOptions): Intake {
  const ledger = createAckLedger();
  let stopped = false;
  let batch: ConsumeMessage[] = [];
  let outstanding = 0;
  let drained = Promise.withResolvers<void>();
  drained.resolve();

  const stop = (): void => {
    stopped = true;
    drained.resolve();
  };
  const settle = (messages: readonly ConsumeMessage[], verdicts: readonly Verdict[]): void => {
    if (stopped) return;
    const refusal = enter(ledger, messages, verdicts);
    const upTo = ledger.advance();
    if (upTo !== undefined) options.acknowledge(upTo);
    for (const tag of ledger.singles()) options.acknowledgeOne(tag);
    outstanding -= messages.length;
    if (outstanding === 0) drained.resolve();
    if (refusal === undefined) return;
    stop();
    options.unavailable(refusal);
  };
  const flush = (): void => {
    const messages = batch;
    batch = [];
    if (stopped || messages.length === 0) return;
    const context = { queue: options.queue, uniqueIds: options.uniqueIds, now: options.now() };
    options.sink(messages.map((message) => decode(message, context))).then(
      (verdicts) => settle(messages, verdicts),
      (error: unknown) => settle(messages, [{ type: 'unavailable', reason: errorMessage(error) }]),
    );
  };
  return {
    take(message) {
      if (outstanding === 0) drained = Promise.withResolvers<void>();
      outstanding += 1;
      if (batch.push(message) === 1) setImmediate(flush);
    },
    tooLarge(tag, bytes) {
      if (stopped) return;
      if (options.whenTooLarge === 'hold') ledger.leave(tag);
      else {
        ledger.skip(tag);
        options.reject(tag);
      }
      options.refused(bytes);
    },
    flush,
    settled: () => drained.promise,
    stop,
  };
}

const NO_VERDICT: Verdict = { type: 'unavailable', reason: 'no verdict was given' };

/** Enters verdicts into the ledger; the reason of the first `unavailable`. */
function enter(
  ledger: ReturnType<typeof createAckLedger>,
  messages: readonly ConsumeMessage[],
  verdicts: readonly Verdict[],
): string | undefined {
  let refusal: string | undefined;
  for (let index = 0; index < messages.length; index++) {
    const { deliveryTag } = messages[index]!.fields;
    const verdict = verdicts[index] ?? NO_VERDICT;
    if (verdict.type !== 'unavailable') ledger.settle(deliveryTag);
    else {
      ledger.hold(deliveryTag);
      refusal ??= verdict.reason;
    }
  }
  return refusal;
}

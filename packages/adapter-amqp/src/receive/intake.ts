import { SinkBatches, settleInOrder } from '@magpie/adapter-kit';
import type { Sink, Verdict } from '@magpie/contract';
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

/** The broker's prefetch bounds what is taken. */
export function createIntake(options: IntakeOptions): Intake {
  const ledger = createAckLedger();
  let stopped = false;
  let outstanding = 0;
  let drained = Promise.withResolvers<void>();
  drained.resolve();

  const stop = (): void => {
    stopped = true;
    batches.close();
    drained.resolve();
  };
  const settle = (messages: readonly ConsumeMessage[], verdicts: readonly Verdict[]): void => {
    if (stopped) return;
    const refusal = settleInOrder(messages, verdicts, ({ fields }) => ledger.settle(fields.deliveryTag));
    const upTo = ledger.advance();
    if (upTo !== undefined) options.acknowledge(upTo);
    for (const tag of ledger.singles()) options.acknowledgeOne(tag);
    outstanding -= messages.length;
    if (outstanding === 0) drained.resolve();
    if (refusal === undefined) return;
    stop();
    options.unavailable(refusal);
  };
  const batches = new SinkBatches<ConsumeMessage>((messages) => {
    const context = { queue: options.queue, uniqueIds: options.uniqueIds, now: options.now() };
    return {
      events: messages.map((message) => decode(message, context)),
      settle: (verdicts) => settle(messages, verdicts),
    };
  });
  batches.open(options.sink);
  return {
    take(message) {
      if (outstanding === 0) drained = Promise.withResolvers<void>();
      outstanding += 1;
      batches.take(message);
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
    flush: () => batches.flush(),
    settled: () => drained.promise,
    stop,
  };
}

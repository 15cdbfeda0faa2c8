import { SinkBatches, settleInOrder } from '@magpie/adapter-kit';
import type { Sink, Verdict } from '@magpie/contract';
import type { ConsumeMessage } from 'amqplib';
import { decode } from '../codec/decode.ts';
import type { WhenTooLarge } from '../config.ts';
import { createAckLedger } from './ack-window.ts';

/** Hands one channel's messages to the sink and settles their verdicts. */
export interface Intake {
  /** Takes a delivered message. */
  take(message: ConsumeMessage): void;
  /** Takes a delivered message that was too large to keep; its body was dropped. */
  tooLarge(deliveryTag: number, bytes: number): void;
  /** Hands over all taken messages at once. */
  flush(): void;
  /** Resolves when every taken message has a verdict, or after `stop`. */
  settled(): Promise<void>;
  /** Stops handing over and ignores verdicts: the channel is gone. */
  stop(): void;
}

/** Options of one channel's intake. */
export interface IntakeOptions {
  readonly queue: string;
  /** Whether the sender never uses a message-id twice. */
  readonly uniqueIds: boolean;
  readonly now: () => number;
  readonly sink: Sink;
  /** Acknowledges everything up to this delivery tag. */
  acknowledge(upTo: number): void;
  /** Acknowledges this delivery alone; an earlier one stays unacknowledged. */
  acknowledgeOne(tag: number): void;
  /** What to do with a message that is too large: `reject` passes it to the queue's dead-letter exchange. */
  readonly whenTooLarge: WhenTooLarge;
  /** Rejects a message without requeue. */
  reject(tag: number): void;
  /** Called after a message that was too large. */
  refused(bytes: number): void;
  /** Called at most once, when a message could not be stored; the intake has stopped. */
  unavailable(reason: string): void;
}

/** Makes the intake of a channel. The broker's prefetch limits the number of messages. */
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

import { type AdapterContext, BODY_LIMITS, type Clock, createRetry, errorMessage, type Sink } from '@magpie/contract';
import type { WhenTooLarge } from '../config.ts';
import { errorCode, isQueueOutage, wireReason } from '../errors.ts';
import type { Link } from '../link/link.ts';
import { openTap, type Tap, type TapEnd, type TapOptions } from './consumer-channel.ts';

/** The combined settings of all sources that name a queue. */
export interface QueueWish {
  readonly prefetch: number;
  readonly uniqueIds: boolean;
  readonly whenTooLarge: WhenTooLarge;
}

/** Keeps one queue consumed for as long as its link lives. */
export interface Consumer {
  readonly wish: QueueWish;
  /** Resolves when the queue is consumed or the first attempt has failed visibly. Never rejects. */
  start(): Promise<void>;
  /** Stops new messages and new attempts; acknowledgements are still sent. */
  quiesce(): Promise<void>;
  /** Ends the consumer: waits up to 5 s for outstanding verdicts, then closes the channel. */
  stop(): Promise<void>;
  /** Called when the link is gone: drops everything without I/O. */
  abandon(): void;
}

/** Dependencies of a consumer. */
export interface ConsumerOptions {
  readonly queue: string;
  readonly wish: QueueWish;
  readonly link: Pick<Link, 'model' | 'inbound' | 'outgoing' | 'alive'>;
  readonly context: AdapterContext;
  readonly sink: Sink;
}

/** Longest wait for verdicts when a queue is no longer consumed, ms; messages without one are redelivered. */
const VERDICTS_MS = 5000;

/**
 * Consumes one queue on its own channel, so that a problem with it (deleted, no permission, a message that cannot be
 * stored) does not affect other queues. The channel is rebuilt after a growing pause, and the status shows why it is
 * down.
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { queue, wish, link, context } = options;
  const part = `queue ${queue}`;
  const retry = createRetry(context.clock);
  let tap: Tap | undefined;
  let stopped = false;

  const interrupted = (end: TapEnd): void => {
    void tap?.close();
    tap = undefined;
    if (stopped || !link.alive()) return;
    context.detail(part, stateOf(end), 'trouble');
    retry.schedule(() => void start());
  };
  let held = 0;
  const refused = (bytes: number): void => {
    const size = `a message of ${bytes} bytes, more than the limit of ${BODY_LIMITS.max}`;
    const isHeld = wish.whenTooLarge === 'hold';
    context.count(isHeld ? 'held-too-large' : 'rejected-too-large');
    if (!isHeld) {
      context.logger.warn({ place: part, bytes }, `${size}, was rejected without requeue`);
      return;
    }
    held += 1;
    context.detail(part, `holds ${held} unacknowledged: the last is ${size}`, 'trouble');
  };
  const start = async (): Promise<void> => {
    held = 0;
    let early: TapEnd | undefined;
    const ended = (end: TapEnd): void => {
      if (tap) interrupted(end);
      else early = end;
    };
    try {
      tap = await openTap(link, { ...tapOptions(options, retry.reset, ended), refused });
    } catch (error) {
      early ??= { type: 'broker', error };
    }
    if (early) interrupted(early);
    else if (stopped) await tap?.close();
    else if (held === 0) context.detail(part, undefined);
  };
  const halt = (): void => {
    stopped = true;
    retry.stop();
    context.detail(part, undefined);
  };
  const quiesce = async (): Promise<void> => {
    halt();
    await tap?.cancel();
  };
  return {
    wish,
    start,
    quiesce,
    async stop() {
      await quiesce();
      await Promise.race([tap?.settled(), pause(context.clock, VERDICTS_MS)]);
      await tap?.close();
    },
    abandon: halt,
  };
}

/** Only a stored message counts as progress: a queue whose messages cannot be stored keeps its growing pauses. */
const tapOptions = (
  { queue, wish, sink, context }: ConsumerOptions,
  progress: () => void,
  ended: (end: TapEnd) => void,
): Omit<TapOptions, 'refused'> => ({
  queue,
  ...wish,
  // Shown in the broker's list of consumers; need only be unique per channel.
  consumerTag: Buffer.from(`magpie.${context.gatewayId}.${context.name}`).subarray(0, 200).toString(),
  now: () => context.clock.now(),
  sink,
  progress,
  ended,
});

const pause = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.timeout(ms, resolve);
  });

const STATES = new Map<string | number | undefined, string>([
  [403, 'not permitted'],
  [404, 'missing'],
  [405, 'in use by another connection'],
]);

/** RabbitMQ messages that need a different explanation than their code. */
const SAYINGS: readonly (readonly [RegExp, string])[] = [
  [/exclusive use/, 'in use by an exclusive consumer'],
  [/exclusive access/, 'in use by another connection'],
  [
    /rabbit_stream_queue/,
    'not supported: it is a stream; bind a classic or quorum queue to the exchange that feeds it, and consume that',
  ],
];

/** The state of a queue that is not consumed, for the status page. */
function stateOf(end: TapEnd): string {
  if (end.type === 'unavailable') return `paused: ${end.reason}`;
  const reason = wireReason(end.error);
  const said = SAYINGS.find(([pattern]) => pattern.test(reason));
  if (said) return said[1];
  if (isQueueOutage(end.error)) return `unavailable: ${reason}`;
  return STATES.get(errorCode(end.error)) ?? `interrupted: ${wireReason(end.error) || errorMessage(end.error)}`;
}

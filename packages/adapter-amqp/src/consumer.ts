import { type AdapterContext, type Clock, errorMessage, type Sink } from '@magpie/contract';
import type { ChannelModel } from 'amqplib';
import { backoff } from './backoff.ts';
import { errorCode, wireReason } from './errors.ts';
import { openTap, type Tap, type TapEnd } from './tap.ts';

/** What is wanted of one queue, from all sources that name it. */
export interface QueueWish {
  readonly prefetch: number;
  readonly uniqueIds: boolean;
}

/** Keeps one queue consumed for as long as its link lives. */
export interface Consumer {
  readonly wish: QueueWish;
  /** Resolves when the queue is consumed or the first attempt has failed visibly. Rejects only when the link is gone. */
  start(): Promise<void>;
  /** No new messages and no new attempts; acknowledgements still go out. */
  quiesce(): Promise<void>;
  /** Ends it: waits up to 5 s for the verdicts of what was delivered, then closes the channel. */
  stop(): Promise<void>;
  /** The link is gone: forget everything, without I/O. */
  abandon(): void;
}

export interface ConsumerOptions {
  readonly queue: string;
  readonly wish: QueueWish;
  readonly model: ChannelModel;
  readonly context: AdapterContext;
  /** Whether the link can still be used; without it there is no point in another attempt. */
  alive(): boolean;
  readonly sink: Sink;
}

/** After this time of undisturbed consuming the next trouble starts with the shortest pause again, ms. */
const SOUND_MS = 60_000;

/** Longest wait for verdicts when a queue is given up; what has none then is delivered again to the next consumer, ms. */
const VERDICTS_MS = 5000;

/**
 * Consumes one queue on a channel of its own, so that trouble with it (deleted, no permission, a message that cannot be
 * stored) disturbs no other queue. The channel is rebuilt after a growing pause, and the status tells why it is down.
 */
export function createConsumer(options: ConsumerOptions): Consumer {
  const { queue, wish, model, context } = options;
  const part = `queue ${queue}`;
  let tap: Tap | undefined;
  let stopped = false;
  let attempt = 0;
  let since = 0;
  let cancelTimer = (): void => undefined;

  const halt = (): void => {
    stopped = true;
    cancelTimer();
    context.detail(part, undefined);
  };
  const later = (state: string): void => {
    if (stopped || !options.alive()) return;
    if (tap && context.clock.monotonic() - since > SOUND_MS) attempt = 0;
    context.detail(part, state);
    cancelTimer = context.clock.timeout(backoff(attempt), () => void open());
    attempt += 1;
  };
  const ended = (end: TapEnd): void => {
    later(stateOf(end));
    context.logger.warn({ queue, reason: stateOf(end) }, 'consuming a queue was interrupted');
    void tap?.close();
    tap = undefined;
  };
  const open = async (): Promise<void> => {
    let early: TapEnd | undefined;
    try {
      const opened = await openTap(model, {
        queue,
        ...wish,
        consumerTag: consumerTagOf(context),
        now: () => context.clock.now(),
        sink: options.sink,
        progress: () => {
          attempt = 0;
        },
        ended(end) {
          if (tap) ended(end);
          else early = end;
        },
      });
      if (stopped) return void opened.close();
      tap = opened;
      since = context.clock.monotonic();
      if (early) ended(early);
      else context.detail(part, undefined);
    } catch (error) {
      later(stateOf(early ?? { type: 'broker', error }));
    }
  };
  return {
    wish,
    start: open,
    async quiesce() {
      halt();
      await tap?.cancel();
    },
    async stop() {
      halt();
      await tap?.cancel();
      await Promise.race([tap?.settled(), pause(context.clock, VERDICTS_MS)]);
      await tap?.close();
    },
    abandon: halt,
  };
}

const pause = (clock: Clock, ms: number): Promise<void> => new Promise((resolve) => void clock.timeout(ms, resolve));

/** Shown in the broker's list of consumers; unique per channel, as it must be. */
const consumerTagOf = ({ gatewayId, name }: AdapterContext): string =>
  Buffer.from(`magpie.${gatewayId}.${name}`).subarray(0, 200).toString();

const STATES = new Map<string | number | undefined, string>([
  [403, 'not permitted'],
  [404, 'missing'],
  [405, 'in use by another connection'],
]);

/** The state of a queue that is not consumed, for the status page. */
function stateOf(end: TapEnd): string {
  if (end.type === 'unavailable') return `paused: ${end.reason}`;
  return STATES.get(errorCode(end.error)) ?? `interrupted: ${wireReason(end.error) || errorMessage(end.error)}`;
}

import { type Append, type Appended, type DeadLetter, LogFailed, type StoredEvent } from '@magpie/bus';
import {
  type AddressBook,
  type Clock,
  type Event,
  errorMessage,
  HEADER_LIMITS,
  newRef,
  type ReceivedEvent,
  type Sink,
  Throttled,
  type Verdict,
} from '@magpie/contract';
import type { Gate } from './gate.ts';
import type { Ledger } from './ledger.ts';
import type { Tail } from './tail.ts';
import { createTurnstile } from './turnstile.ts';
import type { PublishResult } from './types.ts';

/** What the intake needs; `onFatal` is told when the log can no longer be trusted. */
export interface IntakeOptions {
  readonly tail: Tail;
  readonly ledger: Ledger;
  readonly book: AddressBook;
  readonly clock: Clock;
  readonly gate: Gate;
  readonly maxBodyBytes: number;
  readonly onFatal: (error: Error) => void;
  /** The disk has become too full to append: retention should run now. */
  readonly onFull: () => void;
  /** Whether the log takes appends again after a full disk. Local, no I/O. */
  readonly hasRoom: () => boolean;
  /** Told of every batch, for counters: connection and results. */
  readonly onReceived: (connection: string, results: readonly PublishResult[]) => void;
}

/** Turns received events into stored ones: the only way into the log. */
export interface Intake {
  /**
   * Appends a batch of a sender that can be told to come back; resolves after the commit, in call order, one result per
   * event. `unavailable` at once while the source is held. Never rejects.
   */
  accept(
    source: string,
    batch: readonly ReceivedEvent[],
    onMismatch?: 'append' | 'refuse',
  ): Promise<readonly PublishResult[]>;
  /** The sink of a connection: its calls wait while the source is held. Called once per connection. */
  sinkFor(source: string): Sink;
  /** Resolves when no batch is being written. */
  settled(): Promise<void>;
}

/** How long a sender should wait before it tries again while the log takes nothing, in ms. */
const RETRY_AFTER = 1000;

export function createIntake(options: IntakeOptions): Intake {
  const { tail, ledger, clock, gate, onFatal } = options;
  const outstanding = new Set<Promise<unknown>>();

  const write = async (events: readonly Event[], refused: readonly DeadLetter[], onMismatch: 'append' | 'refuse') => {
    const append: Append[] = events.map((event) => ({ event, onMismatch }));
    const results = await ledger.commit({ append, deadLetters: { put: refused } });
    const stored: StoredEvent[] = [];
    for (const [index, result] of results.entries()) {
      if (result.type === 'stored') stored.push({ position: result.position, event: events[index]! });
    }
    if (stored.length > 0) tail.push(stored);
    return results;
  };

  // The commit is issued before the first await: batches enter the log in the order of the calls.
  const accept = async (
    source: string,
    batch: readonly ReceivedEvent[],
    onMismatch: 'append' | 'refuse' = 'append',
  ): Promise<readonly PublishResult[]> => {
    const refusals = batch.map((received) => problemOf(received, options.maxBodyBytes));
    const events = batch.filter((_, index) => !refusals[index]).map((received) => stamp(received, source, options));
    const letters = batch.flatMap((received, index) => {
      const reason = refusals[index];
      return reason ? [refusedLetter(received, reason, source)] : [];
    });
    try {
      return merge(refusals, events, await write(events, letters, onMismatch));
    } catch (error) {
      return failed(error, batch.length);
    }
  };

  const refusedLetter = (received: ReceivedEvent, reason: string, source: string): DeadLetter => ({
    id: newRef(),
    at: clock.now(),
    reason: 'ingress',
    error: 'TooLarge',
    message: reason,
    attempts: [],
    event: stamp({ ...received, body: received.body.subarray(0, options.maxBodyBytes), headers: [] }, source, options),
  });

  const failed = (error: unknown, count: number): readonly PublishResult[] => {
    if (error instanceof LogFailed) onFatal(error);
    if (error instanceof Throttled) holdForSpace(error);
    const cause = error instanceof Throttled ? 'disk' : 'failed';
    const retryAfter = error instanceof Throttled ? error.retryAfter : RETRY_AFTER;
    return Array.from({ length: count }, () => ({
      type: 'unavailable',
      cause,
      reason: errorMessage(error),
      retryAfter,
    }));
  };

  /** The disk is full: nobody gets in until it is time to look again. */
  const holdForSpace = ({ message, retryAfter }: Throttled): void => {
    if (gate.has(DISK)) return;
    gate.hold(DISK, 'disk', message);
    options.onFull();
    const look = (): void => {
      if (options.hasRoom()) gate.release(DISK);
      else clock.timeout(retryAfter, look);
    };
    clock.timeout(retryAfter, look);
  };

  const counted: Intake['accept'] = async (source, batch, onMismatch) => {
    const work = accept(source, batch, onMismatch);
    outstanding.add(work);
    const results = await work.finally(() => outstanding.delete(work));
    options.onReceived(source, results);
    return results;
  };

  const isHeld = (results: readonly PublishResult[]): boolean =>
    results.some((result) => result.type === 'unavailable' && result.cause === 'disk');

  return {
    accept: (source, batch, onMismatch) => {
      const held = gate.heldBy(source);
      if (!held) return counted(source, batch, onMismatch);
      return Promise.resolve(batch.map(() => ({ type: 'unavailable', ...held, retryAfter: RETRY_AFTER })));
    },
    sinkFor: (source) => {
      const turnstile = createTurnstile<readonly ReceivedEvent[], readonly Verdict[]>(
        () => gate.heldBy(source) !== undefined,
        () => gate.opened(source),
        async (batch) => {
          const results = await counted(source, batch);
          return isHeld(results) ? undefined : results.map(toVerdict);
        },
      );
      return turnstile.pass;
    },
    settled: async () => {
      while (outstanding.size > 0) await Promise.allSettled(outstanding);
    },
  };
}

/** Name of the hold while the disk is full. */
const DISK = 'disk';

/** Why an event cannot enter the log as it is, as a sentence; undefined when it can. */
function problemOf(received: ReceivedEvent, maxBodyBytes: number): string | undefined {
  const size = received.body.byteLength;
  if (size > maxBodyBytes) return `a body of ${size} bytes, more than the limit of ${maxBodyBytes}`;
  const { headers } = received;
  if (headers.length > HEADER_LIMITS.count) {
    return `${headers.length} headers, more than the limit of ${HEADER_LIMITS.count}`;
  }
  const bytes = headers.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + headerBytes(value), 0);
  return bytes > HEADER_LIMITS.bytes
    ? `headers of ${bytes} bytes, more than the limit of ${HEADER_LIMITS.bytes}`
    : undefined;
}

function headerBytes(value: ReceivedEvent['headers'][number][1]): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.byteLength;
  if (value === null || typeof value !== 'object') return 8;
  const inner = Array.isArray(value) ? value : Object.entries(value).flat();
  return inner.reduce((sum: number, part) => sum + headerBytes(part), 8);
}

/** Gives a received event its ref, source, key and receipt time. */
function stamp(received: ReceivedEvent, source: string, { book, clock }: IntakeOptions): Event {
  const { dedupeKey, ...rest } = received;
  return {
    ...rest,
    ref: newRef(),
    source,
    key: received.key ?? book.format(received.address),
    receivedAt: clock.now(),
    ...(dedupeKey === undefined ? {} : { dedupeKey: `${source}\n${dedupeKey}` }),
  };
}

/** Puts the log's results and the refusals back into the order of the batch. */
function merge(
  refusals: readonly (string | undefined)[],
  events: readonly Event[],
  results: readonly Appended[],
): readonly PublishResult[] {
  let next = 0;
  return refusals.map((reason): PublishResult => {
    if (reason !== undefined) return { type: 'refused', reason };
    const event = events[next]!;
    const result = results[next++]!;
    if (result.type === 'stored') return { type: 'stored', ref: event.ref, position: result.position };
    return { type: result.type === 'refused' ? 'mismatch' : 'duplicate', ref: result.ref, position: result.position };
  });
}

function toVerdict(result: PublishResult): Verdict {
  switch (result.type) {
    case 'stored':
    case 'duplicate':
      return { type: result.type };
    case 'mismatch':
      return { type: 'duplicate' };
    case 'refused':
    case 'unavailable':
      return { type: result.type, reason: result.reason };
  }
}

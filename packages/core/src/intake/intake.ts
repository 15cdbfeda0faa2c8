import { type Append, type Appended, type DeadLetter, LogFailed, type StoredEvent } from '@magpie/bus';
import {
  type AddressBook,
  type Clock,
  type Event,
  errorMessage,
  newRef,
  type ReceivedEvent,
  Rejected,
  type Sink,
  Throttled,
  toMagpieError,
  type Verdict,
  withInstants,
} from '@magpie/contract';
import type { PublishResult } from '../gateway-api/index.ts';
import { deadLetter } from '../log-access/dead-letter.ts';
import type { StateWriter } from '../log-access/state-writer.ts';
import type { Tail } from '../log-access/tail.ts';
import type { AwaitedDeliveries } from './awaited-deliveries.ts';
import { createOrderedRetry, type OrderedRetry } from './held-calls.ts';
import type { IntakeHolds } from './holds.ts';
import { problemOf } from './problem.ts';

/** What the intake needs; `onFatal` is told when the log can no longer be trusted. */
export interface IntakeOptions {
  readonly tail: Tail;
  readonly writer: StateWriter;
  /** The address book of a connection, by its name. */
  readonly bookOf: (connection: string) => AddressBook;
  readonly clock: Clock;
  readonly holds: IntakeHolds;
  readonly awaited: AwaitedDeliveries;
  readonly maxBodyBytes: number;
  readonly onFatal: (error: Error) => void;
  /** The disk has become too full to append: retention should run now. */
  readonly onFull: () => void;
  /** Whether the log takes appends again after a full disk. Local, no I/O. */
  readonly hasRoom: () => boolean;
  /** Told of every batch, for counters: connection and results. */
  readonly onReceived: (connection: string, results: readonly PublishResult[]) => void;
}

/** How long a sender should wait before it tries again while the log takes nothing, in ms. */
const RETRY_AFTER = 1000;

/** Scope of keys that apps choose: one for all ways in which they send. No connection has this name. */
const CHOSEN = '';

/** Most of a refused body that its dead letter keeps; more than any adapter takes in. */
const LETTER_BYTES = 16 * 1024 * 1024;

const STORED: Verdict = { type: 'stored' };

/** Name of the hold while the disk is full. */
const DISK = 'disk';

/** The only way into the log: checks received events, gives them their refs, appends them. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #outstanding = new Set<Promise<unknown>>();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * Appends a batch of a sender that can be told to come back; resolves after the commit, in call order, one result per
   * event. `unavailable` at once what is held at present. Never rejects.
   */
  async accept(
    source: string,
    batch: readonly ReceivedEvent[],
    onMismatch: 'append' | 'refuse' = 'append',
  ): Promise<readonly PublishResult[]> {
    const { holds } = this.#options;
    const held = batch.map(({ address }) => holds.heldBy(source, undefined, address));
    const free = batch.filter((_, index) => held[index] === undefined);
    const results = free.length === 0 ? [] : await this.#counted(source, free, onMismatch);
    let next = 0;
    return held.map((hold) =>
      hold === undefined ? results[next++]! : { type: 'unavailable', ...hold, retryAfter: RETRY_AFTER },
    );
  }

  /** The sink of a connection: its calls wait while the source, or their place of it, is held. Called once per connection. */
  sinkFor(source: string): Sink {
    const lines = new Map<string | undefined, BatchLine>();
    return (batch, place) => {
      const line = lines.get(place) ?? this.#lineOf(source, place);
      lines.set(place, line);
      return line.pass(batch);
    };
  }

  /** Batches of one place keep their order, whatever waits elsewhere. */
  #lineOf(source: string, place: string | undefined): BatchLine {
    const { holds } = this.#options;
    return createOrderedRetry(
      () => holds.heldBy(source, place) !== undefined,
      () => holds.opened(source, place),
      async (batch) => {
        const results = await this.#counted(source, batch, 'append');
        return results.some(isHeld) ? undefined : results.map(toVerdict);
      },
    );
  }

  /** Resolves when no batch is being written. */
  async settled(): Promise<void> {
    while (this.#outstanding.size > 0) await Promise.allSettled(this.#outstanding);
  }

  async #counted(source: string, batch: readonly ReceivedEvent[], onMismatch: OnMismatch) {
    const work = this.#append(source, batch, onMismatch);
    this.#outstanding.add(work);
    const results = await work.finally(() => this.#outstanding.delete(work));
    this.#options.onReceived(source, results);
    return results;
  }

  async #append(source: string, batch: readonly ReceivedEvent[], onMismatch: OnMismatch) {
    let written: Written;
    try {
      // The commit is issued before the first await: batches enter the log in the order of the calls.
      written = await this.#write(source, batch, onMismatch);
    } catch (error) {
      if (error instanceof LogFailed || error instanceof Throttled) return this.#unavailable(error, batch.length);
      return this.#oneByOne(source, batch, onMismatch, error);
    }
    this.#follow(written.stored);
    return written.results;
  }

  async #write(source: string, batch: readonly ReceivedEvent[], onMismatch: OnMismatch): Promise<Written> {
    const { maxBodyBytes, writer, awaited } = this.#options;
    const events: Event[] = [];
    const append: Append[] = [];
    const letters: DeadLetter[] = [];
    const refusals = batch.map((received) => {
      const reason = problemOf(received, maxBodyBytes);
      if (reason === undefined) {
        const event = this.#stamp(received, source, onMismatch === 'refuse' ? CHOSEN : source);
        const { dedupeContent: content } = received;
        if (received.awaitsDelivery) awaited.expect(event.ref);
        events.push(event);
        append.push(content === undefined ? { event, onMismatch } : { event, onMismatch, content });
      } else letters.push(this.#refusedLetter(received, reason, source));
      return reason;
    });
    const commit = writer.commit(letters.length === 0 ? { append } : { append, deadLetters: { put: letters } });
    const results = await commit.catch((error: unknown) => {
      for (const { ref } of events) awaited.forget(ref);
      throw error;
    });
    const stored: StoredEvent[] = [];
    for (const [index, result] of results.entries()) {
      const event = events[index]!;
      if (result.type === 'stored') stored.push({ position: result.position, event });
      else awaited.forget(event.ref);
    }
    return { results: merge(refusals, events, results, awaited), stored };
  }

  /** Hands what is in the log on to its readers. It is stored, whatever happens here. */
  #follow(stored: readonly StoredEvent[]): void {
    const { tail, onFatal } = this.#options;
    try {
      if (stored.length > 0) tail.push(stored);
    } catch (error) {
      onFatal(toMagpieError(error));
    }
  }

  /** Something in the batch cannot be stored at all: the others must not suffer, and it must not come again for ever. */
  async #oneByOne(source: string, batch: readonly ReceivedEvent[], onMismatch: OnMismatch, cause: unknown) {
    const { writer, onFatal } = this.#options;
    const [only] = batch;
    if (batch.length === 1 && only) {
      const reason = `it cannot be stored: ${errorMessage(cause)}`;
      const bare = { ...only, headers: [], origin: {} };
      const letter = this.#refusedLetter(bare, `${reason} (its headers and protocol facts are not kept)`, source);
      await writer.commit({ deadLetters: { put: [letter] } }).catch(onFatal);
      return [{ type: 'refused' as const, reason }];
    }
    const results: PublishResult[] = [];
    for (const received of batch) results.push(...(await this.#append(source, [received], onMismatch)));
    return results;
  }

  #unavailable(error: LogFailed | Throttled, count: number): readonly PublishResult[] {
    if (error instanceof LogFailed) this.#options.onFatal(error);
    else this.#holdForSpace(error);
    const cause = error instanceof Throttled ? 'disk' : 'failed';
    const retryAfter = error instanceof Throttled ? error.retryAfter : RETRY_AFTER;
    return Array.from({ length: count }, () => ({ type: 'unavailable', cause, reason: error.message, retryAfter }));
  }

  /** The disk is full: nobody gets in until the log says that there is room. */
  #holdForSpace({ message, retryAfter }: Throttled): void {
    const { holds, clock, hasRoom, onFull } = this.#options;
    if (holds.has(DISK)) return;
    holds.hold(DISK, 'disk', message);
    onFull();
    const look = (): void => {
      if (hasRoom()) holds.release(DISK);
      else clock.timeout(retryAfter, look);
    };
    clock.timeout(retryAfter, look);
  }

  #refusedLetter(received: ReceivedEvent, reason: string, source: string): DeadLetter {
    const { clock } = this.#options;
    const isWhole = received.body.byteLength <= LETTER_BYTES;
    const kept = isWhole ? received : { ...received, body: received.body.subarray(0, LETTER_BYTES) };
    const words = isWhole ? reason : `${reason}; of its body the first ${LETTER_BYTES} bytes are kept`;
    const event = this.#stamp(kept, source);
    return deadLetter({ at: clock.now(), event, reason: 'ingress', error: new Rejected(words) });
  }

  /** The event of what was received, ready to go past the log; undefined when it must go through the log, which reports the reason. */
  stamped(received: ReceivedEvent, source: string): Event | undefined {
    return problemOf(received, this.#options.maxBodyBytes) === undefined ? this.#stamp(received, source) : undefined;
  }

  /** Gives a received event its ref, source, key and receipt time; `scope` is within what its dedupe key is unique. */
  #stamp(given: ReceivedEvent, source: string, scope = source): Event {
    const received = withInstants(given.awaitsDelivery ? withoutAwaiting(given) : given);
    const { bookOf, clock } = this.#options;
    const receivedAt = clock.now();
    const { key = bookOf(source).format(received.address), time = receivedAt, dedupeKey } = received;
    const event: Event = { ...received, ref: newRef(receivedAt), source, key, time, receivedAt };
    if (dedupeKey === undefined) return event;
    const { dedupeContent: _, ...kept } = { ...received, ...event };
    return { ...kept, dedupeKey: `${scope}\n${dedupeKey}` };
  }
}

/** The event as it is stored. */
function withoutAwaiting({ awaitsDelivery: _, ...event }: ReceivedEvent): ReceivedEvent {
  return event;
}

type OnMismatch = 'append' | 'refuse';
type BatchLine = OrderedRetry<readonly ReceivedEvent[], readonly Verdict[]>;

/** What a commit of received events came to. */
interface Written {
  readonly results: readonly PublishResult[];
  readonly stored: readonly StoredEvent[];
}

const isHeld = (result: PublishResult): boolean => result.type === 'unavailable' && result.cause === 'disk';

/** Puts the log's results and the refusals back into the order of the batch. */
function merge(
  refusals: readonly (string | undefined)[],
  events: readonly Event[],
  results: readonly Appended[],
  awaited: AwaitedDeliveries,
): readonly PublishResult[] {
  let next = 0;
  return refusals.map((reason): PublishResult => {
    if (reason !== undefined) return { type: 'refused', reason };
    const event = events[next]!;
    const result = results[next++]!;
    if (result.type === 'stored') {
      const stored = { type: 'stored', ref: event.ref, position: result.position } as const;
      // Taken now: it may have arrived before its sender is told that it is stored.
      const delivered = awaited.of(event.ref);
      return delivered ? { ...stored, delivered } : stored;
    }
    return { type: result.type === 'refused' ? 'mismatch' : 'duplicate', ref: result.ref, position: result.position };
  });
}

function toVerdict(result: PublishResult): Verdict {
  switch (result.type) {
    case 'stored':
      return result.delivered ? { type: 'stored', delivered: result.delivered } : STORED;
    case 'duplicate':
      return { type: result.type };
    case 'mismatch':
      return { type: 'duplicate' };
    case 'refused':
    case 'unavailable':
      return { type: result.type, reason: result.reason };
  }
}

import type { EventLog, StoredEvent } from '@magpie/bus';
import {
  type AddressBook,
  type Clock,
  type Event,
  type Logger,
  type ReceivedEvent,
  sleep,
  toMagpieError,
} from '@magpie/contract';
import { type Answer, DIRECT, type ReplyOutcome, type ReplyRules, type Target } from '@magpie/routing';
import { deliveryId, timeOf } from '../delivery/delivery-id.ts';
import type { Intake } from '../intake/intake.ts';
import { deadLetter, putDeadLetter } from '../log-access/dead-letter.ts';
import type { StateWriter } from '../log-access/state-writer.ts';
import type { Targets } from '../targets/targets.ts';
import { LateReports } from './late-reports.ts';
import { MOST_PENDING, type Pending, PendingRequests } from './pending.ts';

/** Requests of an earlier process are waited for at least this long, in ms: their replies may be kept by the other side. */
const GRACE_MS = 5000;
/** How long to wait before an answer that the log does not take at the moment is tried again, in ms. */
const AGAIN_MS = 1000;

/** Said of a request that is sent, but whose reply nobody waits for. */
const TOO_MANY = `more than ${MOST_PENDING} requests wait for replies, so this one is not waited for`;

interface ReplyDeps {
  readonly log: EventLog;
  readonly writer: StateWriter;
  readonly intake: Pick<Intake, 'accept'>;
  readonly targets: Pick<Targets, 'routes'>;
  readonly book: AddressBook;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An event came in as a reply that nobody waits for any more. */
  late(connection: string): void;
  onFatal(error: Error): void;
}

/** Relates replies to requests, and sends what routes make of them back to where the requests came from. */
export class Replies {
  readonly #deps: ReplyDeps;
  readonly #pending: PendingRequests;
  readonly #timers = new Map<string, () => void>();
  readonly #late: LateReports;
  readonly #stopping = new AbortController();
  /** Answers on their way into the log. */
  readonly #answering = new Set<Promise<unknown>>();

  constructor(deps: ReplyDeps) {
    this.#deps = deps;
    this.#late = new LateReports(deps.clock);
    this.#pending = new PendingRequests(deps.log, deps.writer);
  }

  /** Takes up what an earlier process has waited for. Called once, before the router runs. */
  async open(): Promise<void> {
    const soonest = this.#deps.clock.now() + GRACE_MS;
    for (const pending of await this.#pending.open()) this.#arm(pending, Math.max(soonest, pending.deadline));
  }

  /** A request is on its way to a target. Called by the router before the delivery is offered; durable after `settled`. */
  expect({ event }: StoredEvent, target: Target, { timeout }: ReplyRules): void {
    const id = deliveryId(event.ref, target.consumer);
    if (this.#pending.get(id) !== undefined) return; // Matched once more after a crash.
    const deadline = event.receivedAt + timeout;
    const pending = {
      id,
      ref: event.ref,
      consumer: target.consumer,
      deadline,
      ...this.#addressesOf(event, target, id),
    };
    if (this.#pending.isFull) this.#track(this.#answer(pending, { type: 'refused', reason: TOO_MANY }));
    else {
      this.#pending.add(pending);
      this.#arm(pending, deadline);
    }
  }

  /** An event may be a reply. Called by the router for every event. */
  offer(event: Event): void {
    const consumers = this.#deps.targets.routes.repliesFor(event);
    if (consumers.length === 0) return;
    const { correlationId } = event;
    const pending =
      correlationId === undefined
        ? this.#oldestAt(event, consumers)
        : this.#correlated(event, correlationId, consumers);
    if (pending !== undefined) this.#end(pending, { type: 'reply', event });
    else if (correlationId === undefined || timeOf(correlationId) !== undefined) this.#deps.late(event.source);
  }

  /** An event may be a command that does not run. Called by the router for every event. */
  decline(event: Event): void {
    const { targets, book } = this.#deps;
    let answer: Answer | undefined;
    try {
      answer = targets.routes.remark(event);
    } catch (error) {
      this.#track(this.#giveUp(event, error));
    }
    if (answer === undefined) return;
    const { more, connection, target } = answer;
    const say = (key: string, made: Answer): void => this.#track(this.#accepted(received(key, event, made, book)));
    const place = `${connection} ${book.format(target.address)}`;
    const isSaid =
      more === undefined ||
      this.#late.takes(place, (count) => {
        try {
          say(`late ${event.ref}`, { connection, target, ...more(count) });
        } catch (error) {
          this.#track(this.#giveUp(event, error));
        }
      });
    if (isSaid) say(`remark ${event.ref}`, answer);
  }

  /** A delivery has ended without success; changes nothing when it is no request, or one that has its answer. */
  refused(ref: string, consumer: string, reason: string): void {
    const pending = this.#pending.get(deliveryId(ref, consumer));
    if (pending !== undefined) this.#end(pending, { type: 'refused', reason });
  }

  /** Resolves when the requests are durable, and the answers made so far. Called by the router before events count as matched. */
  async settled(): Promise<void> {
    await this.#pending.write();
    if (this.#answering.size > 0) await Promise.all(this.#answering);
  }

  /** Answers nothing more. */
  stop(): void {
    this.#stopping.abort();
    this.#late.stop();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #addressesOf(event: Event, target: Target, id: string): Pick<Pending, 'correlationId' | 'replyTo' | 'place'> {
    try {
      const { parts, target: to } = target.render(event);
      const { correlationId = id, replyTo } = parts;
      const place = this.#deps.book.format(to.address);
      return { correlationId, place, ...(replyTo === undefined ? {} : { replyTo: replyTo.segments }) };
    } catch {
      // Its delivery will be refused for the same reason.
      return { correlationId: id };
    }
  }

  #correlated(event: Event, correlationId: string, consumers: readonly string[]): Pending | undefined {
    const pending = this.#pending.byCorrelation(correlationId);
    if (pending === undefined || !consumers.includes(pending.consumer)) return undefined;
    return pending.replyTo === undefined || isAt(event, pending.replyTo) ? pending : undefined;
  }

  /** The oldest request with that reply address; none when requests to several places have it. */
  #oldestAt(event: Event, consumers: readonly string[]): Pending | undefined {
    const waiting = [...this.#pending.all()].filter(
      ({ consumer, replyTo }) => consumers.includes(consumer) && replyTo !== undefined && isAt(event, replyTo),
    );
    const [oldest] = waiting;
    return waiting.every(({ place }) => place === oldest?.place) ? oldest : undefined;
  }

  #arm(pending: Pending, deadline: number): void {
    const { clock } = this.#deps;
    const wait = Math.max(0, deadline - clock.now());
    this.#timers.set(
      pending.id,
      clock.timeout(wait, () => this.#end(pending, { type: 'timeout' })),
    );
  }

  #end(pending: Pending, outcome: ReplyOutcome): void {
    if (this.#stopping.signal.aborted) return;
    this.#timers.get(pending.id)?.();
    this.#timers.delete(pending.id);
    this.#pending.close(pending);
    this.#track(this.#answer(pending, outcome));
  }

  #track(answering: Promise<unknown>): void {
    const work = answering
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#deps.onFatal(toMagpieError(error));
      })
      .finally(() => this.#answering.delete(work));
    this.#answering.add(work);
  }

  async #answer(pending: Pending, outcome: ReplyOutcome): Promise<void> {
    const { log, logger } = this.#deps;
    const request = (await log.find(pending.ref))?.event;
    const target = this.#deps.targets.routes.target(pending.consumer);
    if (request === undefined || target?.reply === undefined) {
      const why = request === undefined ? 'its event is no longer kept' : 'its route is gone';
      logger.warn({ target: pending.consumer, ref: pending.ref }, `a request is not answered: ${why}`);
      return this.#pending.forget(pending);
    }
    const answer = await this.#made(request, target, outcome);
    const isKept =
      answer === undefined ||
      (await this.#accepted(received(`reply ${pending.id}`, request, answer, this.#deps.book, outcome.type)));
    if (isKept) await this.#pending.forget(pending);
  }

  /** The answer of a route. What cannot be made into one is a refusal, and a dead letter when that cannot be said either. */
  async #made(request: Event, target: Target, outcome: ReplyOutcome): Promise<Answer | undefined> {
    try {
      return target.reply?.answer(request, outcome);
    } catch (cause) {
      const error = toMagpieError(cause);
      try {
        const refusal = target.reply?.answer(request, { type: 'refused', reason: error.message });
        if (refusal !== undefined) return refusal;
      } catch {
        // The dead letter names the first reason.
      }
      await this.#giveUp(outcome.type === 'reply' ? outcome.event : request, error);
      return undefined;
    }
  }

  /** Nothing can be said to an event. */
  async #giveUp(event: Event, cause: unknown): Promise<void> {
    const { writer, clock } = this.#deps;
    const error = toMagpieError(cause);
    await putDeadLetter(writer, deadLetter({ at: clock.now(), event, reason: 'rejected', error }));
  }

  /** Puts an answer into the log; false when the gateway stops before it could. One that is there already changes nothing. */
  async #accepted(answer: ReceivedEvent): Promise<boolean> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const [result] = await this.#deps.intake.accept(DIRECT, [answer], 'refuse');
      if (result?.type !== 'unavailable') return true;
      await sleep(this.#deps.clock, AGAIN_MS, signal);
    }
    return false;
  }
}

/** Whether an event came in at an address; a place may add to it how the event came there. */
const isAt = ({ address: { segments } }: Event, place: readonly string[]): boolean =>
  place.every((segment, index) => segment === segments[index]);

/** The answer as a direct send. One that says that there is no reply has that as its type. */
function received(
  dedupeKey: string,
  { ref, correlationId, trace, via }: Event,
  { connection, target, body, contentType }: Answer,
  book: AddressBook,
  outcome: ReplyOutcome['type'] = 'reply',
): ReceivedEvent {
  return {
    ...(outcome === 'reply' ? {} : { type: outcome }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(trace === undefined ? {} : { trace }),
    address: target.address,
    kind: 'reply',
    key: `${connection} ${book.format(target.address)}`,
    body,
    headers: [],
    via,
    origin: { connection, options: target.options, request: ref },
    dedupeKey,
  };
}

import type { Attempt, DeadLetter, DeadLetterQuery, EventFilter, Outcome, Position, StoredEvent } from '@magpie/bus';
import type {
  AddressBook,
  AddressPattern,
  BodyForms,
  Header,
  PresenceEntry,
  ReceivedEvent,
  TraceContext,
} from '@magpie/contract';
import type { ConnectionInfo, RouteSet } from '@magpie/routing';

export type { EventFilter } from '@magpie/bus';

/** What is configured at one time. */
export interface Plan {
  readonly routes: RouteSet;
  /** All connections, the built-in ones included. */
  readonly connections: ReadonlyMap<string, ConnectionInfo>;
}

/** States of a connection. `up` means a recent successful round trip, not merely an open socket. */
export const CONNECTION_STATES = ['waiting', 'connecting', 'up', 'unhealthy', 'stopped', 'closed'] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];

/** What `/v1/connections` shows of a connection. Times are ms since the epoch. */
export interface ConnectionStatus {
  readonly name: string;
  readonly type: string;
  readonly state: ConnectionState;
  readonly since: number;
  /** The last successful probe. */
  readonly lastRoundTrip?: { readonly at: number; readonly ms: number };
  /** What ended the last attempt or link; gone once the connection is up again. */
  readonly error?: { readonly code: string; readonly message: string; readonly at: number };
  /** Needs a human: wrong credentials, identity taken. */
  readonly alarm?: string;
  readonly attempts: number;
  readonly nextAttempt?: number;
  readonly counters: Readonly<Record<string, number>>;
  /** States of parts as the adapter reports them (rooms, links). */
  readonly details: Readonly<Record<string, string>>;
  /** The parts that do not work as configured. */
  readonly troubled: readonly string[];
}

/** What became of a published event. */
export type PublishResult =
  | { readonly type: 'stored' | 'duplicate' | 'mismatch'; readonly ref: string; readonly position: Position }
  | { readonly type: 'refused'; readonly reason: string }
  | {
      readonly type: 'unavailable';
      /** `disk`: too little space; `backlog`: a target it feeds is full; `failed`: the log can no longer be trusted. */
      readonly cause: 'disk' | 'backlog' | 'failed';
      readonly reason: string;
      /** ms */
      readonly retryAfter: number;
    };

/** A message for one target named by connection and native words, delivered without any route. */
export interface DirectMessage extends BodyForms {
  /** `{ connection, …native words, …options }`. */
  readonly to: Readonly<Record<string, unknown>>;
  readonly headers?: readonly Header[];
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly correlationId?: string;
  readonly replyTo?: string;
  /** Ordering key among the direct sends by this connection; default the address. */
  readonly key?: string;
  readonly retain?: boolean;
  readonly trace?: TraceContext;
  /** Gateways passed, for the loop guard. */
  readonly via?: readonly string[];
  /** When the sender says it happened, ms since the epoch; default now. */
  readonly time?: number;
  readonly expiresAt?: number;
  readonly priority?: number;
  readonly id?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly dedupeKey?: string;
  readonly dedupeContent?: string;
}

/** One page of history. It ends early where its events are large, or where few pass the filter. */
export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Where the next page goes on; undefined at the end of the log. */
  readonly next: Position | undefined;
  /** Number of events looked at. */
  readonly scanned: number;
}

/** A live read of the log from a position on. */
export interface EventSubscription {
  /** Lets `count` more events through. Without credit nothing is sent and nothing is buffered: the log is the buffer. */
  credit(count: number): void;
  /** Lets nothing more through until `resume`, whatever the credit; the batch just handed over was the last. */
  pause(): void;
  resume(): void;
  /** Stops it; no callback runs afterwards. */
  close(): void;
}

/** Callbacks of a subscription. `events` come in log order, at most as many as there is credit for. */
export interface SubscriptionSink {
  events(batch: readonly StoredEvent[]): void;
  /** Events after the position asked for may have been removed: reading goes on at the oldest kept event. */
  gap(from: Position, to: Position): void;
  /** Reading failed for good. */
  failed(error: Error): void;
}

/** The state of one target of a message, for `GET /v1/messages/{ref}`. */
export interface TargetStatus {
  readonly consumer: string;
  readonly connection: string;
  /** `held`: it, or an earlier one of its key, was refused; `blocked`: it is out of attempts and waits for an operator. */
  readonly state: 'waiting' | 'in-flight' | 'held' | 'blocked' | Outcome['state'];
  readonly attempts: number;
  readonly at?: number;
  readonly confirmedBy?: string;
  readonly nextAttempt?: number;
  readonly error?: string;
  /** The attempts that were refused, the oldest first, as far as they are known: not of one that was confirmed after all. */
  readonly failures?: readonly Attempt[];
}

export interface MessageStatus {
  readonly event: StoredEvent;
  readonly targets: readonly TargetStatus[];
}

/** What an operator changes in a message before it is tried again. */
export interface DeadLetterEdit extends BodyForms {
  readonly contentType?: string;
  readonly headers?: readonly Header[];
}

/** Which dead letters an operation is about. */
export type DeadLetterSelection = Omit<DeadLetterQuery, 'limit' | 'after'>;

/** What a retry of many dead letters has found. */
export interface BulkRetry {
  /** How many fit. */
  readonly matched: number;
  /** How many of them stay as they are: their target is configured no more, or they never entered the log. */
  readonly skipped: number;
}

/** The dead letters of a gateway, for operators. */
export interface DeadLetters {
  /** May give fewer than asked for to bound memory: only an empty list means that there is nothing more. */
  list(query: DeadLetterQuery): Promise<readonly DeadLetter[]>;
  get(id: string): Promise<DeadLetter | undefined>;
  /**
   * Tries one again with the routes of today, its attempts counted anew; the dead letter is removed in the same commit that
   * remembers the delivery. Throws `Rejected` when it is unknown, its target is gone, or it never entered the log.
   */
  retry(id: string, edit?: DeadLetterEdit): Promise<void>;
  /** Tries all that fit again, `rate` per second, in the background. Resolves to how many there are now. */
  retryAll(query: DeadLetterSelection, rate: number): Promise<BulkRetry>;
  /** How many `retryAll` still has before it. */
  retrying(): number;
  /** Removes one for ever; false when it is unknown. */
  drop(id: string): Promise<boolean>;
  /** Removes all that fit; resolves to how many. */
  dropAll(query: DeadLetterSelection): Promise<number>;
  /** Ends what runs in the background. */
  stop(): void;
}

/** What a reload changed. Names of connections, consumer names of targets. */
export interface ReloadReport {
  readonly connections: {
    readonly added: readonly string[];
    readonly removed: readonly string[];
    /** Reconnected because a key of theirs changed. */
    readonly changed: readonly string[];
    readonly unchanged: readonly string[];
  };
  readonly targets: {
    readonly added: readonly string[];
    /** Their backlog stays in the log, orphaned. */
    readonly removed: readonly string[];
    readonly kept: number;
  };
}

/** A target that is configured no more; what waits for it is kept for a day in case it comes back. */
export interface OrphanStatus {
  readonly consumer: string;
  /** ms since the epoch. */
  readonly since: number;
  /** Whether anything waits for it. */
  readonly backlog: boolean;
}

/** Why nothing is sent to a target but a probe. Times are ms since the epoch. */
export interface SuspensionStatus {
  readonly since: number;
  /** What the target or its link said last. */
  readonly error: string;
  readonly nextAttempt: number;
}

/** A place of a target (a room, a queue, a topic) that takes nothing while others do. Times are ms since the epoch. */
export interface PlaceStatus {
  /** Its address as text. */
  readonly place: string;
  readonly since: number;
  /** What it said last. */
  readonly error: string;
  readonly nextAttempt: number;
  /** Deliveries that wait for it. */
  readonly waiting: number;
}

/** What an operator does with deliveries: try them again at once, make dead letters of them, or drop them for good. */
export type Decision = 'retry' | 'dead-letter' | 'drop';

/** Which deliveries of a target: all that are blocked without a key, else those that fit. */
export interface DeliverySelection {
  /** Of this event. */
  readonly ref?: string;
  /** With this ordering key. */
  readonly lane?: string;
  /** That wait for this place, as `PlaceStatus` names it. */
  readonly place?: string;
}

/** How much a target has before it, for metrics. */
export interface TargetLoad {
  readonly consumer: string;
  readonly connection: string;
  /** Deliveries in memory that are to be sent. */
  readonly waiting: number;
  /** Refused ones and those held behind them. */
  readonly held: number;
  readonly flying: number;
  /** More waits in the log. */
  readonly lagging: boolean;
  /** Refused deliveries that have run out of attempts and hold their lanes until an operator decides (`then: block`). */
  readonly blocked: number;
  /** The target is out: only a probe is sent. */
  readonly suspended: boolean;
  /** Details while it is. */
  readonly suspension?: SuspensionStatus;
  /** Places that are suspended by themselves. */
  readonly places: readonly PlaceStatus[];
}

/** The running gateway as the API and the CLI see it. */
export interface Gateway {
  readonly id: string;
  readonly version: string;
  readonly book: AddressBook;
  /** The address book for addresses of a connection, by its name; `book` for an unknown one. Called per shown event. */
  bookOf(connection: string | undefined): AddressBook;
  readonly state: 'starting' | 'running' | 'draining' | 'stopped';
  /** Opens the log's tail, connects everything; resolves once routing runs (connections may still be coming up). */
  start(): Promise<void>;
  /** Ordered shutdown; resolves when everything is flushed or the signal has fired. Idempotent. */
  drain(signal: AbortSignal): Promise<void>;
  readonly deadLetters: DeadLetters;
  /** Changes to new routes and connections; what has not changed is not touched. */
  reload(plan: Plan): Promise<ReloadReport>;
  /** Appends events of a built-in source (such as the HTTP API). Resolves after the commit, one result per event. */
  publish(
    source: string,
    events: readonly ReceivedEvent[],
    options?: { readonly onMismatch?: 'append' | 'refuse' },
  ): Promise<readonly PublishResult[]>;
  /** Appends a direct send. Throws `Rejected` when the target is not understood. */
  direct(message: DirectMessage): Promise<PublishResult>;
  /** History: events after (or, with `back`, before) a position, oldest (newest) first. */
  events(
    filter: EventFilter,
    page: { readonly from?: Position; readonly back?: boolean; readonly limit: number },
  ): Promise<EventPage>;
  subscribe(filter: EventFilter, from: Position | 'now' | 'earliest', sink: SubscriptionSink): EventSubscription;
  parsePosition(text: string): Position | undefined;
  head(): Position | undefined;
  connections(): readonly ConnectionStatus[];
  /** Who and what is there at the moment, by connection, in no order. Called per request. */
  presence(): Iterable<readonly [connection: string, entry: PresenceEntry]>;
  targets(): readonly TargetLoad[];
  orphans(): Promise<readonly OrphanStatus[]>;
  /**
   * Decides about deliveries of a target that are not in flight, see `DeliverySelection`. How many there are; undefined when
   * there is no such target.
   */
  decide(consumer: string, selection: DeliverySelection, decision: Decision): number | undefined;
  /** Why intake is held at present, as sentences; empty when it is not. */
  holds(): readonly string[];
  /** Messages that go round between this gateway and others and are stopped, as sentences; empty when there are none. */
  loops(): readonly string[];
  /**
   * A pattern from text: `topic:plant/+/alarm`, or with a connection just `plant/+/alarm` in its first scheme. Throws
   * `Rejected`.
   */
  pattern(address: string, connection?: string): AddressPattern;
  message(ref: string): Promise<MessageStatus | undefined>;
}

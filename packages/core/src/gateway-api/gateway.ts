import type { EventFilter, Position } from '@magpie/bus';
import type { Address, AddressBook, AddressPattern, PresenceEntry, ReceivedEvent } from '@magpie/contract';
import type { ConnectionStatus } from './connections.ts';
import type { DeadLetters } from './dead-letters.ts';
import type {
  DirectMessage,
  EventPage,
  EventSubscription,
  MessageStatus,
  PublishResult,
  SubscriptionSink,
} from './messages.ts';
import type { Plan, ReloadReport } from './plan.ts';
import type { Decision, DeliverySelection, OrphanStatus, TargetLoad } from './targets.ts';

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
  /**
   * Appends a direct send, unless `permit` throws for its place. Throws `Rejected` when the target is not understood, and what
   * `permit` throws.
   */
  direct(message: DirectMessage, permit?: (connection: string, address: Address) => void): Promise<PublishResult>;
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

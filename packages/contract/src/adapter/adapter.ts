import type { Address, AddressPattern } from '../address/address.ts';
import type { EventKind, OutgoingEvent, ReceivedEvent } from '../event/event.ts';
import type { Clock } from './clock.ts';
import type { MagpieError } from './errors.ts';
import type { Logger } from './logger.ts';

/**
 * What the gateway did with a received event.
 * - `stored`: durable, or of a source that asks for no durability; acknowledge it to the sender. `delivered`, of an event that awaits
 *   it, resolves to true once every target has confirmed it, to false when one never will. It is not durable: after a crash
 *   nobody is told, so that it is never too early.
 * - `duplicate`: already durable under its dedupe key; acknowledge it.
 * - `refused`: it can never be stored (too large, malformed); an ingress dead letter is durable, acknowledge it.
 * - `unavailable`: it could not be stored now; never acknowledge it nor anything received after it on a protocol that
 *   acknowledges cumulatively. The message must come again when the link is re-established.
 */
export type Verdict =
  | { readonly type: 'stored'; readonly delivered?: Promise<boolean> }
  | { readonly type: 'duplicate' }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'unavailable'; readonly reason: string };

/**
 * Takes received events into the log. Called by the adapter as messages arrive, any number of times before earlier calls
 * have resolved; calls resolve in the order they were made, one verdict per event. Never rejects. While the gateway
 * holds back intake the promise stays pending: the adapter withholds acknowledgements and lets its window fill, it
 * neither drops nor buffers without bound.
 *
 * `place` is where the whole batch comes from, as `AdapterDefinition.placeOf` names it; given by adapters that can hold back
 * one place while others go on. Then calls resolve in order among those of one place.
 */
export type Sink = (batch: readonly ReceivedEvent[], place?: string) => Promise<readonly Verdict[]>;

/**
 * What routes say about the events from a place, for adapters that ask people for them: who may be asked, for what, and whether
 * they wait for something to come back.
 */
export interface SourceTerms {
  /** Who may use the routes, as `AccessRules` reads it; undefined: anybody. */
  readonly allow?: readonly string[];
  /** The JSON Schema (2020-12) of the bodies, references and all; undefined: any body. */
  readonly schema?: Readonly<Record<string, unknown>>;
  /** How long what a route answers is waited for, ms from the receipt of the event; undefined: nothing goes back. */
  readonly answerWithin?: number;
}

/** One place to receive from, derived from a route's `from` or a connection's `subscribe`. */
export interface SourceRequest<S = unknown> {
  readonly pattern: AddressPattern;
  /** Kinds of event wanted from there; default messages. Others need not be handed over. */
  readonly kinds?: readonly EventKind[];
  /** The parsed `sourceSchema`: native words as written and options such as a quality of service. */
  readonly options: S;
  /** What the routes say about its events; only of sources that the adapter `readsTerms` of. */
  readonly terms?: SourceTerms;
}

/** Where to send: a concrete, checked address and the parsed `targetSchema`. */
export interface TargetRequest<T = unknown> {
  readonly address: Address;
  readonly options: T;
}

/** What the other side did to confirm a send, in the protocol's own word: `puback`, `publisher-confirm`, `echo`. */
export interface SendReceipt {
  readonly confirmedBy: string;
}

/**
 * Small values of one connection that outlive the process, such as how far an archive was read or who follows a device. Kept
 * with the log, so what is put after a verdict is never ahead of it.
 */
export interface ConnectionStore {
  /** All values by key. Called when a connection needs what an earlier process stored. Rejects when the log has failed. */
  entries(): Promise<ReadonlyMap<string, string>>;
  /**
   * Keeps values and forgets those that are undefined, all of a call or none; durable when it resolves. Rejects when the log has
   * failed, with `RangeError` for a key of more than 2 KiB or a value of more than 64 KiB.
   */
  put(values: ReadonlyMap<string, string | undefined>): Promise<void>;
}

/** What the core gives a connection. Nothing is global. */
export interface AdapterContext {
  /** The connection's name in the configuration. */
  readonly name: string;
  /** The gateway's id: goes into `via` and default client names. */
  readonly gatewayId: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly store: ConnectionStore;
  /**
   * Reports that an established link is lost. Called by the adapter, at most once per successful `connect`; the supervisor
   * answers with `close`-free reconnecting (`connect` again after a backoff). `Conflict` stops the connection.
   */
  lost(error: MagpieError): void;
  /**
   * Reports a short state of a part for `/v1/connections`, such as a room `joined`, a topic `not permitted: …` or a link
   * `blocked`; undefined clears. Called at every change, also while not connected. `trouble`: the part does not work as
   * configured; the gateway then says so in its log, not every time, and raises an alarm while it lasts. The adapter need not.
   */
  detail(part: string, state: string | undefined, trouble?: 'trouble'): void;
  /** Counts something for metrics and `/v1/connections`: `received-dropped`, `returned`, … Never with an address. */
  count(counter: string, by?: number): void;
}

/** The present state of a person or device, as a connection knows it. */
export interface PresenceEntry {
  readonly address: Address;
  /** Which one of those at the address: a client of a person, an occupant of a room. */
  readonly key: string;
  /** What is known, as JSON: `available` and what the protocol has besides. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Since when, ms since the epoch; undefined when it does not say. */
  readonly since: number | undefined;
}

/**
 * One configured link to one external system. Created without I/O, then driven by the supervisor only:
 * `connect` → `receive` → … → (`lost` → `connect` → `receive` …)* → `quiesce` → `close`.
 */
export interface Connection {
  /**
   * Establishes the link and logs in. Called by the supervisor, never concurrently, again after every `lost`. Library
   * reconnecting is off: one call is one attempt, ended within 30 s. Rejects with `NotConnected`, `AuthFailed`, `Conflict`,
   * `ConfigInvalid` or, when the signal fires, `Aborted`; after a rejection nothing of the attempt is left behind.
   */
  connect(signal: AbortSignal): Promise<void>;
  /**
   * Sets what to receive and where to put it. Called after each `connect` and again when the wanted sources change while
   * connected; the list replaces the previous one. Resolves when every source is in place (subscribed, consuming, joined) or
   * known not to be. A source that the other side refuses, lacks or does not answer for never disturbs the others: it is
   * reported by `detail` (`room …`, `topic …`, `queue …` with `not permitted: …` or another reason) and tried again by
   * itself, after a growing pause (`createRetry`), until it works or is no longer wanted; then the detail changes or is
   * cleared. Rejects, like `connect`, only when the link itself is bad; the supervisor then treats it as lost. With no
   * sources it is still called.
   */
  receive(sources: readonly SourceRequest[], sink: Sink): Promise<void>;
  /**
   * Sends one message and resolves on the protocol's own confirmation, nothing earlier. Called concurrently, up to
   * `fifoWindow` outstanding; messages go out in call order. Rejects at once with `NotConnected` while the link is down
   * (never queues), with `Unknown` when the link is lost before the confirmation, with `Throttled`, `Transient`, `Rejected`
   * or `TooLarge` as the other side says. The signal ends the waiting with `Aborted`; the outcome is then unknown.
   */
  send(event: OutgoingEvent, target: TargetRequest, signal: AbortSignal): Promise<SendReceipt>;
  /**
   * Hands over one message at most once, without a confirmation, in order with `send`. Called per message
   * of a source with `durability: none`. Optional: for protocols whose sends need no confirmation. Never throws.
   * @returns false when it was not handed over, for whatever reason (no link, no room, the target wants a confirmation, a
   * message that cannot go out): the caller then uses `send`, which says why.
   */
  post?(event: OutgoingEvent, target: TargetRequest): boolean;
  /**
   * One round trip that proves the link is alive. Called by the supervisor every 10 to 30 s while connected, never
   * concurrently. What is joined on the link is verified as well, but only repaired and reported like a refused source.
   * Rejects with `NotConnected` when the link is not alive, `Aborted` on the signal. After a rejection the supervisor cuts the link by `close` with a fired signal and calls `connect` again.
   */
  probe(signal: AbortSignal): Promise<void>;
  /** Who and what is present. Optional: for protocols that have presence. Called per request for it; local, no I/O. */
  presence?(): Iterable<PresenceEntry>;
  /** Stops taking messages in; acknowledgements of stored ones still go out, sends still work. Called once, first step of a drain. */
  quiesce(signal: AbortSignal): Promise<void>;
  /**
   * Says goodbye in the protocol's way and frees everything. Idempotent, works in every state, never rejects; when the
   * signal fires it cuts the link at once, without `lost`. Called by the supervisor to end a drain, or to cut a link that
   * failed its probe; in the latter case `connect` follows, so state that survives a link (a session, an unacknowledged
   * queue) is kept.
   */
  close(signal: AbortSignal): Promise<void>;
}

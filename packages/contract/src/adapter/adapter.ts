import type { z } from 'zod';
import type { Address, AddressPattern, AddressScheme } from '../address/address.ts';
import type { Event, EventKind, Origin, OutgoingEvent, ReceivedEvent } from '../event/event.ts';
import type { Clock } from './clock.ts';
import type { MagpieError } from './errors.ts';
import type { Logger } from './logger.ts';

/**
 * What the gateway did with a received event.
 * - `stored`: durable, or of a source that asks for no durability; acknowledge it to the sender.
 * - `duplicate`: already durable under its dedupe key; acknowledge it.
 * - `refused`: it can never be stored (too large, malformed); an ingress dead letter is durable, acknowledge it.
 * - `unavailable`: it could not be stored now; never acknowledge it nor anything received after it on a protocol that
 *   acknowledges cumulatively. The message must come again when the link is re-established.
 */
export type Verdict =
  | { readonly type: 'stored' }
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

/** How sure a hop is, with the reason in one sentence for `magpie check`. */
export interface Guarantee {
  readonly level: 'at-least-once' | 'at-most-once';
  readonly reason: string;
}

/** What a connection can do, so that the core and the contract suite need not guess. All static per configuration. */
export interface Capabilities {
  readonly receives: boolean;
  readonly sends: boolean;
  /** Sends the link keeps in order while unconfirmed; the core never has more outstanding. At least 1. */
  readonly fifoWindow: number;
  /**
   * Whether sends go on being confirmed while the gateway holds back intake for long. False where the confirmations come on
   * the stream whose reading then stops: of such connections the core never lets two wait for each other.
   */
  readonly sendsWhileHeld: boolean;
  /**
   * Whether the gateway can hold back one topic, queue or room of the connection while the others go on: each place has a
   * window of its own, `placeOf` names them and the sink is given that name. Default false: then a full target holds all of
   * them, and `magpie check` says so.
   */
  readonly holdsPerPlace?: boolean;
  /**
   * Whether every message is answered by itself, so that a full target can refuse what is for it while the rest gets in.
   * Default false.
   */
  readonly holdsPerMessage?: boolean;
  /** Whether headers, ids and the `via` list survive the link. Without them loops need an echo cache. */
  readonly metadata: boolean;
  /** Largest body in bytes that the protocol or configuration permits. The core sends none that is larger. */
  readonly maxBodyBytes: number;
}

/** Rules for `allow:` on a route: who, as the protocol tells it, may use the route. Pure. */
export interface AccessRules {
  /** What is wrong with an entry of `allow`, as a sentence with the accepted forms; undefined when it is fine. */
  validate(entry: string): string | undefined;
  /** Whether the sender of an event with this origin is meant by the entry. Called per matched event. */
  permits(entry: string, origin: Origin): boolean;
  /** Whether anyone at all can send here, so that `magpie check` warns about a route without `allow`. */
  readonly open: boolean;
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

/** How sure the two directions of a protocol are, for the guarantee of a route. Pure. */
export interface GuaranteeRules<C, S, T> {
  /** What receiving by this source loses at worst. */
  source(connection: C, source: S): Guarantee;
  /** What sending to this target loses at worst. */
  target(connection: C, target: T): Guarantee;
}

/** What cannot work on a connection as it is configured, so that `magpie check` says it. Pure. */
export interface ObjectionRules<C, S, T> {
  /** Why a source can never bring events of these kinds, as a sentence; undefined when it can. */
  source?(connection: C, source: S, kinds: ReadonlySet<EventKind>): string | undefined;
  /** Why a target can never be sent to, as a sentence; undefined when it can. */
  target?(connection: C, target: T): string | undefined;
  /**
   * Why sources cannot be as they are beside the others or with their terms, one sentence each; undefined for those that can.
   * Called once per connection with the sources of all its routes.
   */
  together?(connection: C, sources: readonly SourceRequest<S>[]): readonly (string | undefined)[];
}

/** What the documentation says about a protocol besides the README of its package. */
export interface ProtocolGuide {
  /** Name of the protocol as in a heading, such as its version. */
  readonly title: string;
  /** Headings of the mapping table by the key of their cells in `mapping`, in their order. */
  readonly columns: Readonly<Record<string, string>>;
  /** How each concept of an event travels: `concept`, the `field` of the event, and a cell per column. */
  readonly mapping: readonly (Readonly<Record<string, string>> & {
    readonly concept: string;
    readonly field: string;
  })[];
}

/**
 * Everything the gateway knows about a protocol: one exported constant per adapter package, made by `defineAdapter`.
 * `C`, `S`, `T` are the parsed forms of the connection, source and target schema.
 */
export interface AdapterDefinition<C = unknown, S = unknown, T = unknown> {
  /** The value of `type:` in a connection. */
  readonly type: string;
  /**
   * Set when there is always exactly one connection of this type, named like the type: it has no link of its own and is never
   * configured. Its events are acknowledged once on disk, without exception.
   */
  readonly builtIn?: true;
  /** Keys of a connection besides `type` and `subscribe`. A strict object; every key has a description. */
  readonly connectionSchema: z.ZodObject;
  /** Keys of a route's `from` besides `connection`, `kind` and `text`: the native words and options. A strict object. */
  readonly sourceSchema: z.ZodObject;
  /** Keys of a target besides the common ones: the native words and options. A strict object. */
  readonly targetSchema: z.ZodObject;
  /** The protocol facts in `origin`, so that expressions over them are checked at load. */
  readonly originSchema: z.ZodObject;
  readonly addresses: readonly AddressScheme[];
  /** The kinds of event that its connections receive; a route that asks for another one is an error. */
  readonly kinds: readonly EventKind[];
  capabilities(connection: C): Capabilities;
  readonly guarantees: GuaranteeRules<C, S, T>;
  /** Left out by adapters whose connections can all do the same. */
  readonly objections?: ObjectionRules<C, S, T>;
  readonly access?: AccessRules;
  /**
   * Whether a connection must know what routes say about the events of a source. Pure; default none of them, so that a change of
   * it disturbs no link.
   */
  readsTerms?(source: S): boolean;
  /** The place that a source receives from, of adapters that hold per place. Pure; sources with one name share its window. */
  placeOf?(source: S): string;
  /**
   * Where an answer to an event goes: keys of a target, without `connection`. Default its reply address, else its address. Pure;
   * called once per answer. For protocols in which the address does not say whom to answer, or as whom.
   */
  answerTo?(event: Pick<Event, 'address' | 'replyTo' | 'origin'>): Readonly<Record<string, unknown>>;
  /** Set by adapters that have a page of their own in the documentation. */
  readonly guide?: ProtocolGuide;
  /** Makes a connection. No I/O, never throws for a parsed configuration. */
  create(config: C, context: AdapterContext): Connection;
}

/** An adapter whose parameter types are forgotten, as the gateway keeps them in one list. */
// biome-ignore lint/suspicious/noExplicitAny: the list of adapters is heterogeneous; each definition checks its own parsed types.
export type AnyAdapter = AdapterDefinition<any, any, any>;

/** Schemas of one adapter, from which its parsed types are inferred. */
interface AdapterSchemas {
  readonly connectionSchema: z.ZodObject;
  readonly sourceSchema: z.ZodObject;
  readonly targetSchema: z.ZodObject;
  readonly originSchema: z.ZodObject;
}

/** Checks a definition's types against its schemas; returns it unchanged. */
export function defineAdapter<const D extends AdapterSchemas>(
  definition: D &
    AdapterDefinition<z.output<D['connectionSchema']>, z.output<D['sourceSchema']>, z.output<D['targetSchema']>>,
): AdapterDefinition<z.output<D['connectionSchema']>, z.output<D['sourceSchema']>, z.output<D['targetSchema']>> {
  return definition;
}

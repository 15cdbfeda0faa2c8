import type { z } from 'zod';
import type { AddressScheme } from '../address/address.ts';
import type { Event, EventKind, Origin } from '../event/event.ts';
import type { AdapterContext, Connection, SourceRequest } from './adapter.ts';

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
  /** Address schemes of places that do not say who has sent, so that no entry means anybody there. Default none. */
  readonly anonymous?: readonly string[];
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

/** Something that an event may say besides its body, such as that it takes back an earlier one. */
export interface Statement {
  /** A noun in the plural, as `magpie check` shows it: `corrections`. */
  readonly name: string;
  /** The fields of the event in which it stands, such as `origin.replaces`. A target that reads none of them leaves it unsaid. */
  readonly fields: readonly string[];
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
   * What events of these kinds may say besides their body, of which another protocol has no word: `magpie check` names what a
   * target leaves out. Pure; default nothing.
   */
  statements?(source: S, kinds: ReadonlySet<EventKind>): readonly Statement[];
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

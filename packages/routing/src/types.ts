import type {
  Address,
  AddressPattern,
  AnyAdapter,
  Event,
  EventKind,
  Guarantee,
  MessageParts,
  Rejected,
  SourceRequest,
  TargetRequest,
} from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import type { Pacing } from './pacing/types.ts';

export type { ChangeFilter, Pacing, QuietHours, RateLimit, Summary, SummaryValues } from './pacing/types.ts';

/** A configured connection as routing needs to know it: its adapter and its parsed keys. */
export interface ConnectionInfo {
  readonly name: string;
  readonly adapter: AnyAdapter;
  /** Parsed `connectionSchema`. */
  readonly config: unknown;
  /** The connection's own `subscribe` entries, unparsed (`sourceSchema` objects). */
  readonly subscribe: readonly unknown[];
}

/** How deliveries of a target keep order. */
export type Order = 'key' | 'strict' | 'none';

/** What happens when a delivery has run out of attempts. */
export type Then = 'dead-letter' | 'drop' | 'block';

/** When and how often a delivery is tried again. Times in ms. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly backoff: { readonly min: number; readonly max: number };
  readonly maxAge: number;
  /** Link losses after which a message that was alone on its way is given up. */
  readonly linkLosses: number;
  readonly then: Then;
}

/** A message rendered for one target: ready to send but for the ids, which the lane adds. */
export interface Rendered {
  readonly parts: MessageParts;
  readonly target: TargetRequest;
}

/** How waiting for the reply to a request has ended. */
export type ReplyOutcome =
  | { readonly type: 'reply'; readonly event: Event }
  | { readonly type: 'timeout' }
  | { readonly type: 'refused'; readonly reason: string };

/** What goes back to where a request came from. */
export interface Answer {
  readonly connection: string;
  readonly target: TargetRequest;
  readonly body: Uint8Array;
  readonly contentType?: string;
  /**
   * Set where there may be many of a kind at once: what is said in the end instead of so many more of them, once a place has had
   * enough. Throws `Rejected`.
   */
  readonly more?: (count: number) => Pick<Answer, 'body' | 'contentType'>;
}

/** What a target does with the reply to what it sends. */
export interface ReplyRules {
  /** Name of the connection that replies come in by. */
  readonly connection: string;
  /** ms from the receipt of the event. */
  readonly timeout: number;
  /**
   * The answer to an event whose request has ended so; undefined when the route has none for that. Called once per request.
   * Throws `Rejected` when it cannot be made, or there is nowhere to send it.
   */
  answer(request: Event, outcome: ReplyOutcome): Answer | undefined;
}

/** One entry of a route's `to`: everything the core needs to deliver to it. */
export interface Target {
  /** `routeId/targetId`, stable over reloads; the consumer name in the log. */
  readonly consumer: string;
  readonly route: string;
  readonly id: string;
  /** Name of the connection whose events the route takes; `DIRECT` for the built-in route. */
  readonly from: string;
  /** The place of that connection that feeds the target, where it can be held back while others go on. */
  readonly fromPlace?: string | undefined;
  /** What the route takes, where each message can be held back by itself. */
  readonly fromPattern?: AddressPattern | undefined;
  readonly connection: string;
  readonly order: Order;
  readonly retry: RetryPolicy;
  readonly guarantee: Guarantee;
  /** Where a target without history begins: only new events, the oldest kept, or a time (ms since the epoch). */
  readonly start: 'now' | 'earliest' | number;
  /** What the target may have waiting. */
  readonly backlog: { readonly bytes: number; readonly age: number; readonly onFull: 'block' | 'dead-letter' | 'drop' };
  /** Set when what it sends are requests: their correlation id is the id of the delivery, unless `render` gives one. */
  readonly reply?: ReplyRules | undefined;
  /** Set when it does not get everything that matches, or not at once. */
  readonly pacing?: Pacing | undefined;
  /**
   * Renders an event for this target with the current templates. Pure; called by the lane at each attempt. Throws
   * `Rejected` with route, target and position of the expression that failed.
   */
  render(event: Event): Rendered;
}

/** One delivery an event gives rise to. */
export interface Match {
  readonly target: Target;
  /** Ordering key of the lane. */
  readonly key: string;
  /** The condition or key could not be evaluated: the delivery is rejected at once, with a dead letter. */
  readonly error?: Rejected;
}

/** Why a route did or did not take an event, for `magpie explain`. */
export interface Explanation {
  readonly route: string;
  readonly matched: boolean;
  /** One sentence: the first thing that did not fit, with values and types; or what matched. */
  readonly reason: string;
  readonly captures: Readonly<Record<string, unknown>>;
  /** For a matched route: what each target would get, or the error. */
  readonly targets: readonly {
    readonly consumer: string;
    readonly connection: string;
    readonly rendered?: Rendered;
    readonly error?: string;
  }[];
}

/** A failed or passed entry of a route's `tests`. */
export interface RouteTestResult {
  readonly route: string;
  /** JSON pointer of the test. */
  readonly pointer: string;
  readonly name: string;
  /** Undefined when it passed; else what was expected and what was got. */
  readonly failure?: string;
}

/** What one target of a route keeps: its guarantee with the reason, and what gets lost in it, for `magpie check`. */
export interface RouteGuarantee {
  readonly route: string;
  readonly consumer: string;
  readonly guarantee: Guarantee;
  /** What events may say besides their body and the target does not: names of the source's statements. */
  readonly unsaid: readonly string[];
}

/** A message given by hand for a connection (`explain`, route tests, `publish`). */
export interface GivenMessage {
  readonly connection: string;
  readonly address: Address;
  readonly kind?: EventKind;
  readonly parts: Partial<MessageParts>;
  readonly origin?: Readonly<Record<string, unknown>>;
}

/** Deliveries of an event that bypass the log, and whether it must be logged as well. */
export interface Bypass {
  /** Deliveries by routes whose source says `durability: none`, in the order of the file. */
  readonly matches: readonly Match[];
  /** Whether another route or a subscription takes it too, or nothing does: then it goes through the log. */
  readonly logged: boolean;
}

/** All routes, compiled. Immutable; a reload makes a new one. */
export interface RouteSet {
  /** Targets that are fed through the log. */
  readonly targets: readonly Target[];
  /** Targets that are fed past the log. */
  readonly unlogged: readonly Target[];
  /** Whether anything of a connection may bypass the log. Called per received batch. */
  bypasses(connection: string): boolean;
  /** Where an event goes that may bypass the log. Pure, called once per event of a connection that `bypasses`. */
  bypass(event: Event): Bypass;
  /** Targets that this event goes to through the log, in the order of the file. Pure, called once per event by the router. */
  match(event: Event): readonly Match[];
  /** Consumers of the targets that an event may be a reply for. Pure, called once per event by the router. */
  repliesFor(event: Event): readonly string[];
  /**
   * What goes back to an event that is a command of a route but late, or looks like one and is none, when no other route runs
   * it; undefined for all others. Called once per event by the router. Throws `Rejected` when that cannot be made.
   */
  remark(event: Event): Answer | undefined;
  /** Target by consumer name, also of the built-in direct route. */
  target(consumer: string): Target | undefined;
  /** What a connection must receive for the routes and its own `subscribe`, without repeats. */
  sources(connection: string): readonly SourceRequest[];
  /** Parses `{ connection, …native words, …options }` of a direct send; throws `Rejected` naming what is wrong. */
  direct(to: Readonly<Record<string, unknown>>): { connection: string; target: TargetRequest };
  explain(event: Event): readonly Explanation[];
  test(): readonly RouteTestResult[];
  guarantees(): readonly RouteGuarantee[];
}

/** Result of compiling: `routes` is usable only when no problem is an error. */
export interface Compiled {
  readonly routes: RouteSet;
  readonly problems: readonly Problem[];
}

/** Source name of direct sends; the built-in route of the same name delivers them. */
export const DIRECT = '$direct';

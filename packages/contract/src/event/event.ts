import type { Address } from '../address/address.ts';

/** What an event is about. Routes match `message` unless they say otherwise. */
export const EVENT_KINDS = ['message', 'presence', 'status', 'receipt', 'reply', 'reaction'] as const;
/** One of `EVENT_KINDS`. */
export type EventKind = (typeof EVENT_KINDS)[number];

/** A header value; typed values survive where the protocol has types. Numbers that no double holds are carried as text. */
export type HeaderValue =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly HeaderValue[]
  | { readonly [name: string]: HeaderValue };

/** Header name and value; names may repeat (a multimap), order is kept. */
export type Header = readonly [name: string, value: HeaderValue];

/** JSON-safe protocol facts, untouched; each adapter describes its own by `originSchema`. */
export type Origin = Readonly<Record<string, unknown>>;

/** Names of the facts in `ORIGIN_MARKS`. */
const MARKS = ['replay', 'replaces', 'retracts', 'fallback', 'encrypted', 'copied', 'late'] as const;
/** The name of such a fact. */
export type OriginMark = (typeof MARKS)[number];

/**
 * Facts in `origin` by which an adapter says that a message is not one said to us now, spelled alike by every protocol, with a
 * sentence for people. `replaces` and `retracts` are the sender's id of the earlier message, the others `true`. An event with
 * one of them never runs a command route: it was judged before, or its text is not what its sender has written. Only of `late` a
 * route may say otherwise.
 */
export const ORIGIN_MARKS: Readonly<Record<OriginMark, string>> = {
  replay: 'the event is a replay of an earlier one',
  replaces: 'the event corrects an earlier message',
  retracts: 'the event takes an earlier message back',
  fallback: 'the text, or a part of it, only stands in for something else, such as the message that is answered',
  encrypted: 'the text only stands in for an encrypted one',
  copied: 'the event is a copy of a message that went to somebody else who shares our account',
  late: 'the message was said while the gateway was away',
};

/** The first mark that an origin carries, `late` only where there is no other. Called per event that a command route might take. */
export const markOf = (origin: Origin): OriginMark | undefined =>
  MARKS.find((mark) => origin[mark] !== undefined && origin[mark] !== false);

/** W3C trace context as text, as carried by the protocol. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** The message parts that a sender decides and a target receives. Shared by received, stored and outgoing events. */
export interface MessageParts {
  /** The sender's own id, as the protocol carried it. Not a dedupe key. */
  readonly id?: string;
  readonly type?: string;
  readonly subject?: string;
  /** Media type of the body, for example `application/json`. */
  readonly contentType?: string;
  readonly contentEncoding?: string;
  /** The bytes of the body, never touched unless a route maps them. */
  readonly body: Uint8Array;
  readonly headers: readonly Header[];
  /** Text, or `base64:…` for bytes that are not UTF-8 (see `bytesToText`). */
  readonly correlationId?: string;
  /** Where an answer is expected. */
  readonly replyTo?: Address;
  /** 0 to 9, 4 is normal. */
  readonly priority?: number;
  /** Whether the message is, or is to become, the last value kept for its address. */
  readonly retain?: boolean;
  readonly trace?: TraceContext;
  /** Ids of the gateways this message has passed, oldest first. */
  readonly via: readonly string[];
  /** When the sender says it happened, or else when the gateway received it, ms since the epoch. */
  readonly time: number;
  /** After this the message is worthless, ms since the epoch. */
  readonly expiresAt?: number;
}

/**
 * When the log compares the dedupe key of an event with those it knows; it remembers the key in any case. `always`: the
 * sender never gives two messages the same key. `redelivered`: the key is sound only together with the sender's word
 * that this may be a second delivery (`redelivered: true`).
 */
export type DedupeRule = 'always' | 'redelivered';

/** The message parts as they came. */
export interface ReceivedParts extends Omit<MessageParts, 'time'> {
  /** When the sender says it happened, ms since the epoch; left out where it says nothing: then it is the receipt time. */
  readonly time?: number;
}

/** What an adapter hands to the sink: an event before the gateway has given it a ref, a source and a receipt time. */
export interface ReceivedEvent extends ReceivedParts {
  readonly address: Address;
  readonly kind: EventKind;
  /** Ordering key; default the address. */
  readonly key?: string;
  /** The sender's system says this may be a second delivery of the same message. */
  readonly redelivered?: boolean;
  readonly origin: Origin;
  /** Set only where the protocol gives a sound identity of the message; the log drops repeats within its window. */
  readonly dedupeKey?: string;
  /** What else, besides address and body, tells this message from another one under its `dedupeKey`. */
  readonly dedupeContent?: string;
  /** When `dedupeKey` is compared; default `always`. */
  readonly dedupe?: DedupeRule;
  /** The adapter wants to know when all targets have it: then its verdict says so (`delivered`). */
  readonly awaitsDelivery?: true;
}

/** One normalized message, presence change, receipt or lifecycle notice, as the log keeps it. */
export interface Event extends MessageParts {
  /** UUIDv7, ours; names the event in URLs and logs. */
  readonly ref: string;
  /** Name of the connection it came from. */
  readonly source: string;
  readonly address: Address;
  readonly kind: EventKind;
  readonly key: string;
  /** When the gateway received it, ms since the epoch; never goes back within a log. */
  readonly receivedAt: number;
  readonly redelivered?: boolean;
  readonly origin: Origin;
  readonly dedupeKey?: string;
  /** When `dedupeKey` is compared; default `always`. */
  readonly dedupe?: DedupeRule;
}

/** A rendered message on its way to one target. `id` and `delivery` stay the same on every resend. */
export interface OutgoingEvent extends MessageParts {
  /** The sender's own id, or the ref when it gave none; adapters put it where the protocol keeps message ids. */
  readonly id: string;
  /** Unique to this event and target: correlates echoes and bounces. 36 characters, a UUID. */
  readonly delivery: string;
  /** The ref of the event it was made from. */
  readonly ref: string;
  /** An earlier attempt may have arrived: say so where the protocol can. */
  readonly redelivered: boolean;
}

/** Most headers one event may carry, and their total size in UTF-8 bytes. */
export const HEADER_LIMITS = { count: 64, bytes: 16 * 1024 } as const;

/** Default and largest configurable size of a body in bytes. */
export const BODY_LIMITS = { default: 1024 * 1024, max: 16 * 1024 * 1024 } as const;

/** An event that has passed this many gateways is not routed on. */
export const HOP_LIMIT = 8;

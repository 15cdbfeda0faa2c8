import {
  type Address,
  BODY_FORMS,
  encodeBody,
  type Header,
  type Origin,
  type ReceivedEvent,
  Rejected,
} from '@magpie/contract';
import type { DirectMessage, Gateway } from '@magpie/core';
import { invalidField } from '../../http/problems/problem.ts';
import { topicScheme } from './http-adapter.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Message } from './schema.ts';

/** Drops the fields that are undefined. */
export function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> };
export function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

type Given<T, K extends keyof T> = { [P in K]?: Exclude<T[P], undefined> };

/** Those of the named fields that are set. Several times as fast as `defined`. */
function given<T extends object, K extends keyof T>(fields: T, names: readonly K[]): Given<T, K> {
  const found: Given<T, K> = {};
  for (const name of names) {
    const value = fields[name];
    if (value !== undefined) found[name] = value as Exclude<T[K], undefined>;
  }
  return found;
}

const NONE = {} as const;

type Dedupe = Pick<ReceivedEvent, 'dedupeKey' | 'dedupeContent'>;

/** A message to a topic as an event. Throws `Problem` 400 naming the invalid field. */
export function toEvent(gateway: Gateway, message: Message, topic: string, facts: RequestFacts): ReceivedEvent {
  const { replyTo } = message;
  const parts = partsOf(message, facts);
  const { body, contentType } = encodeBody(given(message, BODY_FORMS))!;
  if (parts.contentType === undefined && contentType !== undefined) parts.contentType = contentType;
  return {
    ...parts,
    ...(replyTo === undefined ? NONE : { replyTo: addressOf(gateway, replyTo) }),
    ...dedupe(message, facts),
    body,
    kind: 'message',
    address: topicOf(topic),
    via: facts.via,
    ...timeOf(message, facts),
    origin: originOf(facts),
  };
}

/** A direct send to an address of a connection. Throws `Problem` 400 when `replyTo` is not an address. */
export function toDirect(
  gateway: Gateway,
  message: Message,
  to: DirectMessage['to'],
  facts: RequestFacts,
): DirectMessage {
  const { replyTo } = message;
  if (replyTo !== undefined) addressOf(gateway, replyTo);
  return {
    ...given(message, BODY_FORMS),
    ...partsOf(message, facts),
    ...(replyTo === undefined ? NONE : { replyTo }),
    ...dedupe(message, facts),
    to,
    ...(facts.caller.principal === undefined ? NONE : { principal: facts.caller.principal }),
    via: facts.via,
    ...timeOf(message, facts),
  };
}

/**
 * One key space per sender, for all addresses. The fingerprint covers all fields of the message; the log compares the
 * body.
 */
function dedupe(message: Message, { caller: { principal = '' }, idempotencyKey }: RequestFacts): Dedupe {
  if (idempotencyKey === undefined) return NONE;
  const { payload, text, base64, ...others } = message;
  const form = BODY_FORMS.find((name) => message[name] !== undefined);
  // The order of fields does not matter.
  const fields = Object.entries(others).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { dedupeKey: `${principal}\n${idempotencyKey}`, dedupeContent: JSON.stringify([form, fields]) };
}

const PARTS = [
  'contentType',
  'contentEncoding',
  'id',
  'type',
  'subject',
  'key',
  'correlationId',
  'priority',
  'retain',
] as const;

/** The fields that both kinds of message share, if set. */
function partsOf(message: Message, facts: RequestFacts) {
  const expiresAt = expiryOf(message, facts.now);
  return {
    ...given(message, PARTS),
    ...(expiresAt === undefined ? NONE : { expiresAt }),
    ...(facts.trace === undefined ? NONE : { trace: facts.trace }),
    headers: headerList(message.headers),
  };
}

function originOf({ caller: { principal }, idempotencyKey, remoteAddress }: RequestFacts): Origin {
  return {
    ...(principal === undefined ? NONE : { principal }),
    ...(idempotencyKey === undefined ? NONE : { idempotencyKey }),
    remoteAddress,
  };
}

function expiryOf({ ttl, expiresAt }: Message, now: number): number | undefined {
  if (ttl !== undefined) return now + ttl;
  return expiresAt === undefined ? undefined : Date.parse(expiresAt);
}

/** A `ttl` starts now, so the time of the event is now. */
function timeOf({ time, ttl }: Message, { now }: RequestFacts): { readonly time?: number } {
  if (time !== undefined) return { time: Date.parse(time) };
  return ttl === undefined ? NONE : { time: now };
}

/** Headers as pairs. */
export const headerList = (headers: Message['headers'] = []): readonly Header[] =>
  Array.isArray(headers) ? headers : Object.entries(headers);

/** Parsed topics: apps use few, repeatedly. */
const known = new Map<string, Address>();
const KNOWN = { topics: 1000, characters: 256 } as const;

function topicOf(topic: string): Address {
  const found = known.get(topic);
  if (found) return found;
  const address = checkedTopic(topic);
  if (known.size === KNOWN.topics) known.clear();
  if (topic.length <= KNOWN.characters) known.set(topic, address);
  return address;
}

function checkedTopic(topic: string): Address {
  const segments = topicScheme.parse(topic);
  const problem = topicScheme.check(segments);
  if (problem !== undefined) throw invalidField('body', '/topic', `expected a topic to publish to, got ${problem}`);
  return { scheme: topicScheme.scheme, segments };
}

function addressOf({ book }: Gateway, text: string): Address {
  try {
    return book.parse(text);
  } catch (error) {
    if (error instanceof Rejected) throw invalidField('body', '/replyTo', error.message);
    throw error;
  }
}

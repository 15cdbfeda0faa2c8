import { type Address, encodeBody, type Header, type ReceivedEvent, Rejected } from '@magpie/contract';
import type { DirectMessage, Gateway } from '@magpie/core';
import { invalidField } from '../http/problem.ts';
import { topicScheme } from '../http-adapter.ts';
import type { Message } from '../schemas/message.ts';
import type { RequestFacts } from './request-facts.ts';

/** Drops the fields that are undefined. */
export function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> };
export function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** A message to a topic as an event. Throws `Problem` 400 naming the field that is wrong. */
export function toEvent(gateway: Gateway, message: Message, topic: string, facts: RequestFacts): ReceivedEvent {
  const { replyTo } = message;
  return {
    ...encodeBody(bodyOf(message))!,
    ...partsOf(message, facts),
    ...defined({ replyTo: replyTo === undefined ? undefined : addressOf(gateway, replyTo) }),
    ...dedupe(facts, ''),
    kind: 'message',
    address: topicOf(topic),
    via: facts.via,
    time: timeOf(message, facts),
    origin: defined({
      principal: facts.principal,
      idempotencyKey: facts.idempotencyKey,
      remoteAddress: facts.remoteAddress,
    }),
  };
}

/** A message to a place behind a connection. Throws `Problem` 400 when `replyTo` is no address. */
export function toDirect(
  gateway: Gateway,
  message: Message,
  to: DirectMessage['to'],
  facts: RequestFacts,
): DirectMessage {
  const { replyTo } = message;
  if (replyTo !== undefined) addressOf(gateway, replyTo);
  return {
    ...bodyOf(message),
    ...partsOf(message, facts),
    ...defined({ replyTo }),
    // The log compares addresses and bodies: the same place behind another connection is another message.
    ...dedupe(facts, String(to.connection)),
    to,
    via: facts.via,
    time: timeOf(message, facts),
  };
}

const dedupe = ({ principal = '', idempotencyKey }: RequestFacts, scope: string): { readonly dedupeKey?: string } =>
  idempotencyKey === undefined ? {} : { dedupeKey: [principal, scope, idempotencyKey].join('\n') };

const bodyOf = ({ payload, text, base64 }: Message) => defined({ payload, text, base64 });

/** The fields that both kinds of message share, only those that are given. */
function partsOf(message: Message, facts: RequestFacts) {
  const { contentType, contentEncoding, id, type, subject, key, correlationId, priority, retain } = message;
  const expiresAt = expiryOf(message, facts.now);
  return {
    ...defined({ contentType, contentEncoding, id, type, subject, key, correlationId, priority, retain, expiresAt }),
    ...defined({ trace: facts.trace }),
    headers: headerList(message.headers),
  };
}

function expiryOf({ ttl, expiresAt }: Message, now: number): number | undefined {
  if (ttl !== undefined) return now + ttl;
  return expiresAt === undefined ? undefined : Date.parse(expiresAt);
}

const timeOf = ({ time }: Message, { now }: RequestFacts): number => (time === undefined ? now : Date.parse(time));

/** Headers as pairs. */
export const headerList = (headers: Message['headers'] = []): readonly Header[] =>
  Array.isArray(headers) ? headers : Object.entries(headers);

function topicOf(topic: string): Address {
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

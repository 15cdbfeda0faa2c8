import { encodeBody, type Header, type ReceivedEvent, type TraceContext } from '@magpie/contract';
import type { DirectMessage, Gateway, PublishResult } from '@magpie/core';
import type { Message } from './schemas.ts';

/** What a request says about a message besides its body. */
export interface RequestFacts {
  readonly principal: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly trace: TraceContext | undefined;
  readonly via: readonly string[];
  /** ms since the epoch. */
  readonly now: number;
}

/** Publishes one message; resolves after the commit. Throws `Rejected` for a target or an address nobody understands. */
export async function publish(gateway: Gateway, message: Message, facts: RequestFacts): Promise<PublishResult> {
  const parts = commonParts(message, facts);
  if (message.to) {
    const { replyTo } = message;
    const direct: DirectMessage = { ...parts, to: message.to, ...forms(message), ...(replyTo ? { replyTo } : {}) };
    return gateway.direct(direct);
  }
  const [result] = await gateway.publish('http', [received(gateway, message, facts)], { onMismatch: 'refuse' });
  return result!;
}

const forms = ({ payload, text, base64 }: Message) => ({
  ...(payload === undefined ? {} : { payload }),
  ...(text === undefined ? {} : { text }),
  ...(base64 === undefined ? {} : { base64 }),
});

function received(gateway: Gateway, message: Message, facts: RequestFacts): ReceivedEvent {
  const { replyTo, retain, key, time } = message;
  return {
    ...encodeBody(forms(message))!,
    ...commonParts(message, facts),
    kind: 'message',
    address: { scheme: 'topic', segments: message.topic!.split('/') },
    ...(key === undefined ? {} : { key }),
    ...(retain === undefined ? {} : { retain }),
    ...(replyTo === undefined ? {} : { replyTo: gateway.book.parse(replyTo) }),
    ...(facts.trace ? { trace: facts.trace } : {}),
    via: facts.via,
    time: time === undefined ? facts.now : Date.parse(time),
    origin: facts.principal === undefined ? {} : { principal: facts.principal },
  };
}

/** The fields that a published and a direct message share, only those that are given. */
function commonParts(message: Message, { principal, idempotencyKey, now }: RequestFacts) {
  const { contentType, id, type, subject, correlationId, priority } = message;
  const expiresAt = expiryOf(message, now);
  return {
    ...(contentType === undefined ? {} : { contentType }),
    ...(id === undefined ? {} : { id }),
    ...(type === undefined ? {} : { type }),
    ...(subject === undefined ? {} : { subject }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(priority === undefined ? {} : { priority }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(idempotencyKey === undefined ? {} : { dedupeKey: `${principal ?? ''}\n${idempotencyKey}` }),
    headers: headerList(message.headers),
  };
}

function expiryOf({ ttl, expiresAt }: Message, now: number): number | undefined {
  if (ttl !== undefined) return now + ttl;
  return expiresAt === undefined ? undefined : Date.parse(expiresAt);
}

const headerList = (headers: Message['headers'] = []): readonly Header[] =>
  Array.isArray(headers) ? headers : Object.entries(headers);

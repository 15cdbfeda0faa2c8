import { traceOf, viaOf } from '@magpie/adapter-kit';
import type { TraceContext } from '@magpie/contract';
import type { Caller } from '../../http/access/permit.ts';
import type { MessageHeaders } from './schema.ts';

/** Facts about a message from its request, besides the body. */
export interface RequestFacts {
  readonly caller: Caller;
  readonly idempotencyKey: string | undefined;
  readonly trace: TraceContext | undefined;
  /** Ids of the gateways the message has passed. */
  readonly via: readonly string[];
  readonly remoteAddress: string;
  /** Time of the request, ms since the epoch. */
  readonly now: number;
}

/** Reads the headers of a request. A malformed trace is left out; gateway ids are trimmed. */
export function requestFacts(headers: MessageHeaders, caller: Caller, remoteAddress: string): RequestFacts {
  const { traceparent, tracestate } = headers;
  return {
    caller,
    idempotencyKey: unquoted(headers['idempotency-key']),
    trace: traceOf(traceparent, tracestate),
    via: viaOf((headers['magpie-via'] ?? '').split(',').map((id) => id.trim())),
    remoteAddress,
    now: Date.now(),
  };
}

/** The key as a structured-field string (draft-ietf-httpapi-idempotency-key-header) or bare text. */
const unquoted = (key: string | undefined): string | undefined =>
  key?.startsWith('"') ? key.slice(1, -1).replace(/\\(["\\])/g, '$1') : key;

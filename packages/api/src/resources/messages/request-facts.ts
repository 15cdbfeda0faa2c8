import type { TraceContext } from '@magpie/contract';
import type { MessageHeaders } from './schema.ts';

/** What a request says about a message besides its body. */
export interface RequestFacts {
  /** Id of the key that was used; undefined without keys. */
  readonly principal: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly trace: TraceContext | undefined;
  /** Ids of the gateways the message has passed. */
  readonly via: readonly string[];
  readonly remoteAddress: string;
  /** When the request came, ms since the epoch. */
  readonly now: number;
}

const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(-.*)?$/;

/** Reads the headers of a request. A malformed trace is left out (W3C Trace Context, 4.3); gateway ids are trimmed. */
export function requestFacts(
  headers: MessageHeaders,
  principal: string | undefined,
  remoteAddress: string,
): RequestFacts {
  const { traceparent, tracestate } = headers;
  return {
    principal,
    idempotencyKey: unquoted(headers['idempotency-key']),
    trace: traceparent === undefined ? undefined : traceOf(traceparent, tracestate),
    via: viaOf(headers['magpie-via']),
    remoteAddress,
    now: Date.now(),
  };
}

const traceOf = (traceparent: string, tracestate: string | undefined): TraceContext | undefined =>
  TRACEPARENT.test(traceparent) ? { traceparent, ...(tracestate ? { tracestate } : {}) } : undefined;

const NONE: readonly string[] = [];

function viaOf(header: string | undefined): readonly string[] {
  if (header === undefined) return NONE;
  const ids = header.split(',').map((id) => id.trim());
  return ids.filter((id) => id !== '');
}

/** The key as a structured-field string (draft-ietf-httpapi-idempotency-key-header) or bare text. */
const unquoted = (key: string | undefined): string | undefined =>
  key?.startsWith('"') ? key.slice(1, -1).replace(/\\(["\\])/g, '$1') : key;

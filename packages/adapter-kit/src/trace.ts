import type { TraceContext } from '@magpie/contract';

/** W3C Trace Context, section 3.2.2: version 00 has exactly these parts; a later version may add more behind a hyphen. */
const TRACEPARENT = /^(?:00(?=.{53}$)|(?!00|ff)[\da-f]{2})-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:$|-)/;
/** Longest `traceparent` of a later version that is passed on, in characters. */
const LONGEST = 512;

/** Whether a text is a valid `traceparent`. */
export const isTraceparent = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= LONGEST && TRACEPARENT.test(value);

/**
 * The trace that a message belongs to. A malformed `traceparent` is ignored, and so is `tracestate` without a valid one
 * (W3C Trace Context, section 4.3). Called per received message.
 */
export function traceOf(traceparent: unknown, tracestate: unknown): TraceContext | undefined {
  if (!isTraceparent(traceparent)) return undefined;
  return typeof tracestate === 'string' && tracestate !== '' ? { traceparent, tracestate } : { traceparent };
}

import { type AddressBook, type Event, HOP_LIMIT, markOf, type Rejected } from '@magpie/contract';
import type { Scope } from '../expression/expression.ts';
import { viewOf } from '../scope.ts';
import type { Condition } from './condition.ts';
import type { PayloadSchema } from './payload-schema.ts';
import { rejection } from './rejection.ts';
import type { RouteKeys } from './schema.ts';
import type { Source } from './source.ts';

/** Why a route whose address fits does not take an event. */
export type Mismatch = 'kind' | 'loop' | 'hops' | 'mark' | 'text' | 'allow' | 'when';

/** Whether a route takes an event; `error` when that could not be decided: the event is rejected then, not passed over. */
export type Admission =
  | { readonly type: 'admitted' }
  | { readonly type: 'no-match'; readonly mismatch: Mismatch }
  | { readonly type: 'error'; readonly error: Rejected };

/** The conditions of a route besides its address. */
export interface Conditions {
  readonly route: string;
  readonly source: Source;
  readonly allow: readonly string[] | undefined;
  readonly when: Condition | undefined;
  readonly payload: PayloadSchema | undefined;
  /** Whether messages that this gateway has sent itself are taken. */
  readonly acceptOwn: boolean;
  /** What a command route does with a command said while the gateway was away. */
  readonly late: RouteKeys['late'];
  readonly gatewayId: string;
  readonly book: AddressBook;
}

const ADMITTED: Admission = { type: 'admitted' };
const noMatch = (mismatch: Mismatch): Admission => ({ type: 'no-match', mismatch });

/**
 * Judges one event, cheapest condition first. A command route (one with a text pattern or `allow`) never takes what an
 * adapter has marked as not said to us now (`ORIGIN_MARKS`): a retained message, a correction, the text beside an encrypted one.
 * What is only late it takes on request.
 */
export function admit(conditions: Conditions, event: Event, scope: () => Scope): Admission {
  try {
    const mismatch = mismatchOf(conditions, event);
    if (mismatch !== undefined) return noMatch(mismatch);
    const { when, payload } = conditions;
    payload?.check(viewOf(event, conditions.book));
    return when === undefined || when.holds(scope()) ? ADMITTED : noMatch('when');
  } catch (error) {
    return { type: 'error', error: rejection(conditions.route, error) };
  }
}

function mismatchOf(
  { source, allow, acceptOwn, late, gatewayId, book }: Conditions,
  event: Event,
): Mismatch | undefined {
  if (!source.kinds.has(event.kind)) return 'kind';
  if (!acceptOwn && event.via.includes(gatewayId)) return 'loop';
  if (event.via.length >= HOP_LIMIT) return 'hops';
  if (source.text === undefined && allow === undefined) return undefined;
  const mark = markOf(event.origin);
  if (mark !== undefined && (mark !== 'late' || late !== 'run')) return 'mark';
  if (source.text !== undefined && !fitsText(source.text, viewOf(event, book).text)) return 'text';
  const { access } = source.connection.adapter;
  const permitted = allow === undefined || allow.some((entry) => access?.permits(entry, event.origin) === true);
  return permitted ? undefined : 'allow';
}

const fitsText = (pattern: NonNullable<Source['text']>, text: string | undefined): boolean =>
  text !== undefined && pattern.match(text) !== undefined;

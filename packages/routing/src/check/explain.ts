import {
  BODY_LIMITS,
  type Event,
  errorMessage,
  HOP_LIMIT,
  JsonNumber,
  markOf,
  matchesPattern,
  ORIGIN_MARKS,
  type OriginMark,
} from '@magpie/contract';
import { startOutput, startSteps } from '../expression/budget.ts';
import type { Scope } from '../expression/expression.ts';
import { toPlain, toText } from '../expression/values.ts';
import { createReport } from '../report.ts';
import type { Mismatch } from '../route/admission.ts';
import type { Route } from '../route/route.ts';
import type { Explanation } from '../types.ts';

/** Why a route takes an event or not, and what its targets would get. Slow and thorough; for people. */
export function explainRoute(route: Route, event: Event): Explanation {
  startSteps();
  const place = outsideReason(route, event);
  if (place !== undefined) return { route: route.id, matched: false, reason: place, captures: {}, targets: [] };
  const scope = route.scope(event);
  const captures = capturesIn(route, scope);
  const admission = route.admit(event);
  if (admission.type === 'no-match') {
    const reason = mismatchReason(admission.mismatch, route, event, scope);
    return { route: route.id, matched: false, reason, captures, targets: [] };
  }
  const reason =
    admission.type === 'error' ? `could not decide: ${admission.error.message}` : acceptedReason(route, scope);
  return { route: route.id, matched: true, reason, captures, targets: outcomes(route, event) };
}

const written = ({ keys, source }: Route): string =>
  source.connection.adapter.addresses
    .flatMap(({ words }) => words)
    .filter((word, index, all) => all.indexOf(word) === index && typeof keys.from[word] === 'string')
    .map((word) => `${word} "${keys.from[word]}"`)
    .join(', ');

function outsideReason(route: Route, event: Event): string | undefined {
  const { connection, pattern } = route.source;
  if (connection.name !== event.source)
    return `takes events from "${connection.name}", this one is from "${event.source}"`;
  if (matchesPattern(pattern, event.address)) return undefined;
  return `the address does not fit ${written(route)}`;
}

function mismatchReason(mismatch: Mismatch, route: Route, event: Event, scope: Scope): string {
  const { source, conditions } = route;
  switch (mismatch) {
    case 'kind':
      return `takes events of kind ${[...source.kinds].join(', ')}, this one is a ${event.kind}`;
    case 'loop':
      return `the event has passed this gateway ("${conditions.gatewayId}") before`;
    case 'hops':
      return `the event has passed ${event.via.length} gateways, the limit is ${HOP_LIMIT}`;
    case 'mark':
      return markReason(markOf(event.origin) ?? 'replay');
    case 'text':
      return `the text does not fit "${source.text?.source}"`;
    case 'allow':
      return `the sender is none of those in "allow": ${conditions.allow?.join(', ')}`;
    case 'when':
      return `when was false: ${condition(route, scope)}`;
  }
}

const markReason = (mark: OriginMark): string =>
  mark === 'late'
    ? `${ORIGIN_MARKS.late}: it runs a command route (one with "text" or "allow") only where that says late: run`
    : `${ORIGIN_MARKS[mark]}, which never runs a command route (one with "text" or "allow")`;

const acceptedReason = (route: Route, scope: Scope): string =>
  route.conditions.when === undefined
    ? `the address fits ${written(route)}`
    : `the address fits ${written(route)} and when was true: ${condition(route, scope)}`;

/** The condition with the values it is about: `payload.severity >= 3, with payload.severity = 2 (number)`. */
function condition({ conditions, language }: Route, scope: Scope): string {
  const when = conditions.when?.expression;
  if (when === undefined) return '';
  const values = when.operands.flatMap(({ start, end }) => {
    const operand = when.source.slice(start, end);
    const expression = language.compile(operand, createReport([]));
    return expression === undefined ? [] : [`${operand} = ${shown(() => expression.evaluate(scope))}`];
  });
  return values.length === 0 ? when.source : `${when.source}, with ${values.join(', ')}`;
}

function shown(value: () => unknown): string {
  startOutput(BODY_LIMITS.max);
  try {
    const plain = toPlain(value());
    const text = typeof plain === 'string' ? JSON.stringify(plain) : toText(plain);
    return `${text.length > 200 ? `${text.slice(0, 200)}…` : text} (${kindOf(plain)})`;
  } catch {
    // An operand that is missing is itself the explanation.
    return 'missing';
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof JsonNumber) return 'number';
  const kinds: Readonly<Record<string, string>> = { object: 'map', boolean: 'bool' };
  return kinds[typeof value] ?? typeof value;
}

const capturesIn = ({ source }: Route, scope: Scope): Readonly<Record<string, unknown>> =>
  Object.fromEntries([...source.captures.keys()].flatMap((name) => (name in scope ? [[name, scope[name]]] : [])));

function outcomes(route: Route, event: Event): Explanation['targets'] {
  return route.match(event).map(({ target, error }) => {
    const { consumer, connection } = target;
    if (error !== undefined) return { consumer, connection, error: error.message };
    try {
      return { consumer, connection, rendered: target.render(event) };
    } catch (failure) {
      return { consumer, connection, error: errorMessage(failure) };
    }
  });
}

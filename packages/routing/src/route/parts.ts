import { type AddressBook, type Event, errorMessage, type Header, type MessageParts, Rejected } from '@magpie/contract';
import type { Language, Scope } from '../expression/expression.ts';
import { type PlainValue, toHeaderValue, toText } from '../expression/values.ts';
import type { Report } from '../report.ts';
import { compileTree, type Tree } from '../template/tree.ts';
import type { BodyMapping } from './body.ts';
import type { TargetKeys } from './schema.ts';

/** What a target changes about a message besides its body. Undefined: passes unchanged; a value of null removes. */
export interface PartsMapping {
  readonly headers: readonly (readonly [string, Tree])[];
  readonly contentType: Tree | undefined;
  readonly correlationId: Tree | undefined;
  readonly replyTo: Tree | undefined;
  readonly type: Tree | undefined;
  readonly subject: Tree | undefined;
  readonly priority: Tree | undefined;
  /** ms from receipt; null: never expires. */
  readonly ttl: number | null | undefined;
}

/** Whether a target changes nothing about a message but its time to live. */
export const changesNothing = ({ headers, ttl: _, ...trees }: PartsMapping): boolean =>
  headers.length === 0 && Object.values(trees).every((tree) => tree === undefined);

/** The parts of a message that passes as it is, with the gateway's id in `via`. */
export function passedParts(event: Event, ttl: number | null | undefined, gatewayId: string): MessageParts {
  const { body, headers, via, time } = event;
  const parts: Draft = { body, headers, via: via.length === 0 ? [gatewayId] : [...via, gatewayId], time };
  for (const name of PASSED) copyPart(parts, event, name);
  const expiresAt = expiryOf(event, ttl);
  if (expiresAt !== undefined) parts.expiresAt = expiresAt;
  return parts;
}

/** Message parts being put together. */
type Draft = { -readonly [K in keyof MessageParts]: MessageParts[K] };

/** What passes as it is when it is there. */
const PASSED = [
  ...(['id', 'type', 'subject', 'contentType', 'contentEncoding', 'correlationId'] as const),
  ...(['replyTo', 'priority', 'retain', 'trace'] as const),
];

function copyPart<K extends (typeof PASSED)[number]>(parts: Draft, event: Event, name: K): void {
  const value = event[name];
  if (value !== undefined) parts[name] = value;
}

const TEXT_PARTS = ['contentType', 'correlationId', 'replyTo', 'type', 'subject', 'priority'] as const;

/** Compiles the common keys of a target that set message parts; undefined after reporting. */
export function compileParts(
  keys: TargetKeys,
  language: Language,
  book: AddressBook,
  report: Report,
): PartsMapping | undefined {
  const headers = Object.entries(keys.headers ?? {}).map(
    ([name, value]) => [name, compileTree(value, language, report.at('headers', name))] as const,
  );
  const trees = TEXT_PARTS.map((part) => {
    const value = keys[part];
    return value === undefined ? null : compileTree(value, language, report.at(part));
  });
  const [contentType, correlationId, replyTo, type, subject, priority] = trees;
  if (trees.includes(undefined) || headers.some(([, tree]) => tree === undefined)) return undefined;
  if (replyTo?.constant && !isAddress(replyTo.value({}), book, report.at('replyTo'))) return undefined;
  return {
    headers: headers.flatMap(([name, tree]) => (tree === undefined ? [] : [[name, tree] as const])),
    contentType: contentType ?? undefined,
    correlationId: correlationId ?? undefined,
    replyTo: replyTo ?? undefined,
    type: type ?? undefined,
    subject: subject ?? undefined,
    priority: priority ?? undefined,
    ttl: keys.ttl,
  };
}

function isAddress(value: PlainValue, book: AddressBook, report: Report): boolean {
  if (value === null) return true;
  try {
    book.parse(toText(value));
    return true;
  } catch (error) {
    report.error(errorMessage(error));
    return false;
  }
}

/**
 * The parts of the message for a target: the event's own, changed as mapped. A new body brings its media type and drops
 * the content encoding; the gateway's id joins `via`.
 */
export function renderParts(
  event: Event,
  mapping: PartsMapping,
  body: BodyMapping | null,
  scope: Scope,
  context: { readonly book: AddressBook; readonly gatewayId: string; readonly pointer: string },
): MessageParts {
  const { id, time, trace, retain } = event;
  const mapped = body?.render(scope);
  const text = (tree: Tree | undefined, own: string | undefined): string | undefined => textOf(tree, own, scope);
  const optional = {
    ...{ id, trace, retain },
    type: text(mapping.type, event.type),
    subject: text(mapping.subject, event.subject),
    contentType: text(mapping.contentType, mapped === undefined ? event.contentType : mapped.contentType),
    contentEncoding: mapped === undefined ? event.contentEncoding : undefined,
    correlationId: text(mapping.correlationId, event.correlationId),
    replyTo: replyToOf(event, mapping, scope, context),
    priority: priorityOf(event, mapping, scope, context.pointer),
    expiresAt: expiryOf(event, mapping.ttl),
  };
  return {
    ...withoutUndefined(optional),
    body: mapped?.body ?? event.body,
    headers: headersOf(event.headers, mapping.headers, scope),
    via: [...event.via, context.gatewayId],
    time,
  };
}

/** The message parts of an event, without what belongs to the event alone. */
export function partsOf(event: Event): MessageParts {
  const { id, type, subject, contentType, contentEncoding, correlationId, replyTo, priority, retain, trace } = event;
  const { body, headers, via, time, expiresAt } = event;
  const content = { contentType, contentEncoding, correlationId, replyTo, priority, retain, trace, expiresAt };
  return { ...withoutUndefined({ id, type, subject, ...content }), body, headers, via, time };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined: an absent part and an undefined one must not differ in the log. */
function withoutUndefined<T extends object>(parts: T): Defined<T> {
  const defined: Defined<T> = {};
  for (const key in parts) {
    const value = parts[key];
    if (value !== undefined) defined[key] = value as Exclude<T[typeof key], undefined>;
  }
  return defined;
}

function textOf(tree: Tree | undefined, own: string | undefined, scope: Scope): string | undefined {
  if (tree === undefined) return own;
  const value = tree.value(scope);
  return value === null ? undefined : toText(value);
}

function headersOf(own: readonly Header[], mapped: PartsMapping['headers'], scope: Scope): readonly Header[] {
  if (mapped.length === 0) return own;
  const names = new Set(mapped.map(([name]) => name));
  const added = mapped.flatMap(([name, tree]): Header[] => {
    const value = tree.value(scope);
    return value === null ? [] : [[name, toHeaderValue(value)]];
  });
  return [...own.filter(([name]) => !names.has(name)), ...added];
}

function replyToOf(
  event: Event,
  { replyTo }: PartsMapping,
  scope: Scope,
  { book, pointer }: { readonly book: AddressBook; readonly pointer: string },
): MessageParts['replyTo'] | undefined {
  if (replyTo === undefined) return event.replyTo;
  const value = replyTo.value(scope);
  if (value === null) return undefined;
  try {
    return book.parse(toText(value));
  } catch (error) {
    throw new Rejected(`${pointer}/replyTo: ${errorMessage(error)}`, { cause: error });
  }
}

function priorityOf(event: Event, { priority }: PartsMapping, scope: Scope, pointer: string): number | undefined {
  if (priority === undefined) return event.priority;
  const value = priority.value(scope);
  if (value === null) return undefined;
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 9) return number;
  throw new Rejected(`${pointer}/priority: expected an integer from 0 to 9, got ${toText(value)}`);
}

function expiryOf(event: Event, ttl: number | null | undefined): number | undefined {
  if (ttl === undefined) return event.expiresAt;
  return ttl === null ? undefined : event.receivedAt + ttl;
}

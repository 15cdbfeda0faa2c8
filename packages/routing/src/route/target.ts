import type { Address, AddressBook, Event, MessageParts } from '@magpie/contract';
import { type AddressTemplate, compileAddress } from '../address/template.ts';
import { findPlace } from '../address/words.ts';
import { startOutput, startSteps } from '../expression/budget.ts';
import type { Language, Scope } from '../expression/expression.ts';
import { compilePacing } from '../pacing/pacing.ts';
import type { Pacing, QuietHours } from '../pacing/types.ts';
import type { Report } from '../report.ts';
import { compileTemplate, type Template } from '../template/template.ts';
import type { ConnectionInfo, Rendered, RetryPolicy, Target } from '../types.ts';
import type { CompiledReply } from './answers/reply.ts';
import { type BodyMapping, compileBody } from './body.ts';
import { guaranteeOf } from './guarantee.ts';
import { parseKeys, splitKeys } from './keys.ts';
import { compileOptions, type TargetOptions } from './options.ts';
import { changesNothing, compileParts, type PartsMapping, passedParts, renderParts } from './parts.ts';
import { rejection } from './rejection.ts';
import { type RouteKeys, type TargetKeys, targetKeys } from './schema.ts';
import { type Connections, findConnection, heldPattern, placeOf, type Source } from './source.ts';

/** What compiling a target needs of its route and the gateway. */
export interface TargetContext {
  readonly route: string;
  readonly keys: RouteKeys;
  readonly source: Source;
  readonly language: Language;
  readonly connections: Connections;
  readonly book: AddressBook;
  readonly gatewayId: string;
  /** Largest body that a target may make. */
  readonly maxBodyBytes: number;
  readonly reply: CompiledReply | undefined;
  /** What the route says about pacing. */
  readonly pacing: Pacing;
  /** The scope of an event for expressions of this route. */
  scope(event: Event): Scope;
}

/** A compiled entry of `to`. */
export interface CompiledTarget {
  readonly target: Target;
  readonly connection: ConnectionInfo;
  readonly address: AddressTemplate;
  /** Ordering key set by the target or the route. */
  readonly key: Template | undefined;
  readonly pointer: string;
}

/** Compiles one entry of `to`; undefined after reporting. */
export function compileTarget(
  raw: Readonly<Record<string, unknown>>,
  context: TargetContext,
  report: Report,
): CompiledTarget | undefined {
  const { source, language, book } = context;
  const connection = findConnection(raw.connection, context.connections, report);
  if (connection === undefined) return undefined;
  const { adapter, config, name } = connection;
  if (!adapter.capabilities(config).sends)
    return void report.at('connection').error(`connection "${name}" cannot send`);
  const { common, native } = splitKeys(raw, targetKeys, adapter.targetSchema, report);
  const keys = parseKeys(targetKeys, common, report);
  const place = findPlace(adapter, native, report);
  const captured = { scheme: source.pattern.scheme, captures: source.addressCaptures };
  const address = place && compileAddress(place, language, captured, report);
  const options = place && compileOptions(adapter, place.scheme, native, language, report);
  if (keys === undefined) return undefined;
  const body = compileBody(keys, language, report);
  const parts = compileParts(keys, language, book, report);
  const key = keys.key === undefined ? null : compileKey(keys.key, language, report.at('key'));
  if (raw.backlog !== undefined) warnOfUnheld(keys, source, connection, report.at('backlog'));
  const pacing = compilePacing(keys, context.pacing, context, report);
  if (!place || !address || !options || body === undefined || !parts || key === undefined) return undefined;
  if (pacing === undefined) return undefined;
  warnOfHeld(pacing.quiet, keys.retry ?? context.keys.retry, report.at(...(keys.quiet ? ['quiet'] : [])));
  const objections = options.possible.map((each) => adapter.objections?.target?.(config, each));
  const [objection] = objections;
  if (objection !== undefined && objections.every((each) => each !== undefined)) return void report.error(objection);
  const id =
    keys.id ??
    `${name}/${place.scheme.scheme}:${place.scheme.words.flatMap((word) => place.words[word] ?? []).join('/')}`;
  const reply = context.reply?.connection === connection ? context.reply : undefined;
  const target = createTarget(id, keys, connection, options.possible, context, {
    ...(Object.keys(pacing).length === 0 ? {} : { pacing }),
    ...(reply === undefined ? {} : { reply: reply.rules }),
    render: renderer({ address, options, body, parts, reply, pacing }, context, report.pointer),
  });
  return { target, connection, address, key: key ?? undefined, pointer: report.pointer };
}

/** A bound that holds the source back cannot be kept where holding it would also hold what confirms the deliveries. */
function warnOfUnheld({ backlog }: TargetKeys, source: Source, connection: ConnectionInfo, report: Report): void {
  if (backlog.onFull !== 'block' || source.connection !== connection) return;
  if (connection.adapter.capabilities(connection.config).sendsWhileHeld) return;
  report.warn(`this bound has no effect: the events come from "${connection.name}", which also confirms them`, {
    hint: 'use "onFull: dead-letter" or "onFull: drop", or receive by a connection of its own',
  });
}

/** What is held for longer than it may be tried is given up, and nobody would have tried. */
function warnOfHeld(quiet: QuietHours | undefined, { maxAge }: RetryPolicy, report: Report): void {
  if (quiet?.then !== 'hold' || quiet.longest < maxAge) return;
  const message = `quiet hours hold messages for up to ${quiet.longest} ms, but "retry.maxAge" gives them up after ${maxAge} ms`;
  report.warn(message, { hint: 'raise "retry.maxAge", or say "then: drop" or "then: summary"' });
}

/** Compiles an ordering key; a key without any expression would put all deliveries into one lane. */
export function compileKey(source: string, language: Language, report: Report): Template | undefined {
  const template = compileTemplate(source, language, report);
  if (template?.constant !== undefined) {
    const hint = `write "\${${source}}" if the value of this expression is meant`;
    report.warn('this key is the same for every event, so all deliveries stay in one order', { hint });
  }
  return template;
}

function createTarget(
  id: string,
  keys: TargetKeys,
  connection: ConnectionInfo,
  options: readonly unknown[],
  { route, keys: routeKeys, source }: TargetContext,
  methods: Pick<Target, 'render' | 'reply' | 'pacing'>,
): Target {
  const retry = keys.retry ?? routeKeys.retry;
  const { backlog, start } = keys;
  return {
    consumer: `${route}/${id}`,
    route,
    id,
    from: source.connection.name,
    fromPlace: placeOf(source),
    fromPattern: heldPattern(source),
    connection: connection.name,
    order: keys.order ?? routeKeys.order,
    retry,
    guarantee: guaranteeOf({ source, connection, options, retry, backlog, pacing: methods.pacing }),
    start,
    backlog,
    ...methods,
  };
}

interface Mapping {
  readonly address: AddressTemplate;
  readonly options: TargetOptions;
  readonly body: BodyMapping | null;
  readonly parts: PartsMapping;
  /** Set when what is sent are requests. */
  readonly reply: CompiledReply | undefined;
  readonly pacing: Pacing;
}

/** Renders events for a target; where no expression looks at an event, none is made ready for them. */
function renderer(mapping: Mapping, context: TargetContext, pointer: string): Target['render'] {
  const { address, options, body, parts, reply, pacing } = mapping;
  const { constant } = address;
  const isJudged = pacing.quiet?.isExempt !== undefined;
  if (
    isJudged ||
    reply !== undefined ||
    constant === undefined ||
    !options.fixed ||
    body !== null ||
    !changesNothing(parts)
  ) {
    return (event) => render(mapping, event, context, pointer);
  }
  const target = { address: constant, options: options.render({}, constant) };
  return (event) => ({ parts: passedParts(event, parts.ttl, context.gatewayId), target });
}

function render(mapping: Mapping, event: Event, context: TargetContext, pointer: string): Rendered {
  startSteps();
  startOutput(context.maxBodyBytes);
  try {
    const scope = context.scope(event);
    const address: Address = mapping.address.render(scope);
    const { book, gatewayId } = context;
    const rendered = renderParts(event, mapping.parts, mapping.body, scope, { book, gatewayId, pointer });
    const parts =
      mapping.reply === undefined ? rendered : asRequest(rendered, event, mapping.reply, mapping.parts, scope);
    return { parts, target: { address, options: mapping.options.render(scope, address) } };
  } catch (error) {
    throw rejection(context.route, error);
  }
}

/** The parts of a request: what relates a reply to it is its own, not the event's, and it expires when nobody waits any more. */
function asRequest(
  parts: MessageParts,
  event: Event,
  reply: CompiledReply,
  mapping: PartsMapping,
  scope: Scope,
): MessageParts {
  const { correlationId, replyTo, expiresAt = Infinity, ...others } = parts;
  const address = mapping.replyTo === undefined ? reply.addressFor(scope) : replyTo;
  return {
    ...others,
    ...(mapping.correlationId === undefined || correlationId === undefined ? {} : { correlationId }),
    ...(address === undefined ? {} : { replyTo: address }),
    expiresAt: Math.min(expiresAt, event.receivedAt + reply.rules.timeout),
  };
}

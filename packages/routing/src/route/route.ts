import { type AddressBook, BODY_LIMITS, type Event, type SourceRequest } from '@magpie/contract';
import { capture } from '../address/pattern.ts';
import { startOutput } from '../expression/budget.ts';
import { sourceEnvironment } from '../expression/environment.ts';
import type { Language, Scope } from '../expression/expression.ts';
import { checkName } from '../expression/names.ts';
import { createRouteLanguage } from '../expression/route-language.ts';
import { compilePacing } from '../pacing/pacing.ts';
import { isRecord, type Report } from '../report.ts';
import { EventScope, viewOf } from '../scope.ts';
import type { Template } from '../template/template.ts';
import type { Match } from '../types.ts';
import { type Admission, admit, type Conditions } from './admission.ts';
import type { Remark } from './answers/answer.ts';
import { compileLateReport } from './answers/late-report.ts';
import { compileOtherwise } from './answers/otherwise.ts';
import { type CompiledReply, compileReply } from './answers/reply.ts';
import { compileCondition } from './condition.ts';
import { checkGuarantee } from './guarantee.ts';
import { parseKeys } from './keys.ts';
import { loadPayloadSchema, type PayloadSchema, type ReadJsonFile } from './payload-schema.ts';
import { rejection } from './rejection.ts';
import { LOG_KEYS, type RouteKeys, routeKeys } from './schema.ts';
import { type Connections, compileSource, type Source } from './source.ts';
import { type CompiledTarget, compileKey, compileTarget, type TargetContext } from './target.ts';

/** What all routes share. */
export interface RouteContext {
  readonly connections: Connections;
  readonly gatewayId: string;
  readonly book: AddressBook;
  /** Largest body that a target may make; default what the gateway can carry at all. */
  readonly maxBodyBytes?: number | undefined;
  readonly readJsonFile?: ReadJsonFile | undefined;
}

/** A compiled route. */
export interface Route {
  readonly id: string;
  readonly source: Source;
  /** What its connection is asked to receive. */
  readonly request: SourceRequest;
  readonly keys: RouteKeys;
  readonly conditions: Conditions;
  readonly language: Language;
  readonly targets: readonly CompiledTarget[];
  /** Set when it sends requests. */
  readonly reply: CompiledReply | undefined;
  /** Set when it answers what only looks like one of its commands. */
  readonly otherwise: Remark | undefined;
  /** Set when it says that a late command does not run. */
  readonly lateReport: Remark | undefined;
  readonly pointer: string;
  scope(event: Event): Scope;
  /** Whether it takes an event whose address fits its pattern. */
  admit(event: Event): Admission;
  /** The deliveries of an event whose address fits. */
  match(event: Event): readonly Match[];
}

/** Compiles one route; undefined after reporting whatever is wrong with it. */
export function compileRoute(id: string, raw: unknown, context: RouteContext, report: Report): Route | undefined {
  const keys = parseKeys(routeKeys, raw, report);
  if (keys === undefined) return undefined;
  const source = compileSource(keys.from, context.connections, report.at('from'));
  if (source === undefined) return undefined;
  if (!source.logged && !checkUnlogged(raw, keys.to, report)) return undefined;
  const payload = keys.payloadSchema === undefined ? null : loadSchema(keys.payloadSchema, context, report);
  if (payload === undefined) return undefined;
  const environment = sourceEnvironment(source.connection.adapter.originSchema, payload?.shape);
  const named = [...source.captures.keys()].map((name) =>
    checkName(name, 'capture', environment.environment, report.at('from')),
  );
  if (named.includes(false)) return undefined;
  const language = createRouteLanguage(environment, source.captures, keys.let, report);
  const { outer, scope } = scopes(source, environment.origin.convert, payload ?? undefined, bookOf(source, context));
  const parts = compileConditions(id, keys, source, payload ?? undefined, language, context, report);
  const { connections, gatewayId, book, maxBodyBytes = BODY_LIMITS.max } = context;
  const common = { route: id, keys, source, connections, book, maxBodyBytes, scope };
  const reply = compileReply({ ...common, environment }, report.at('reply'));
  const refusing = { ...common, book: bookOf(source, context), environment, gatewayId, scope: outer };
  const otherwise = compileOtherwise(keys.otherwise, refusing, report.at('otherwise'));
  const pacing = compilePacing(keys, {}, { ...common, language }, report);
  if (reply === undefined || otherwise === undefined || pacing === undefined) return undefined;
  const late = { ...refusing, keys, language, scope };
  const lateReport = parts && compileLateReport({ ...late, conditions: parts.conditions }, report);
  const shared: TargetContext = { ...common, language, gatewayId, pacing, reply: reply ?? undefined };
  const targets = compileTargets(shared, report);
  const answers = {
    reply: reply ?? undefined,
    otherwise: otherwise ?? undefined,
    lateReport: lateReport ?? undefined,
  };
  const request = requestOf(source, keys, payload ?? undefined, answers.reply);
  const own = { id, request, keys, language, scope, maxBodyBytes, ...answers, pointer: report.pointer };
  return parts && targets && lateReport !== undefined ? assemble({ ...own, targets }, parts) : undefined;
}

/** The request of a source, with what the route says about its events where the connection must know that. */
function requestOf(
  { request, connection: { adapter } }: Source,
  { allow }: RouteKeys,
  payload: PayloadSchema | undefined,
  reply: CompiledReply | undefined,
): SourceRequest {
  if (adapter.readsTerms?.(request.options) !== true) return request;
  const terms = {
    ...(allow === undefined ? {} : { allow }),
    ...(payload === undefined ? {} : { schema: payload.content }),
    ...(reply === undefined ? {} : { answerWithin: reply.rules.timeout }),
  };
  return { ...request, terms };
}

/** Reports keys that promise what only the log can keep. */
function checkUnlogged(route: unknown, to: RouteKeys['to'], report: Report): boolean {
  const own = LOG_KEYS.filter((key) => isRecord(route) && Object.hasOwn(route, key)).map((key) => report.at(key));
  const targets = Array.isArray(to)
    ? to.map((each, index) => [each, report.at('to', index)] as const)
    : [[to, report.at('to')] as const];
  const theirs = targets.flatMap(([keys, at]) =>
    LOG_KEYS.filter((key) => Object.hasOwn(keys, key)).map((key) => at.at(key)),
  );
  const hint = 'leave it out, or let the events go through the log: "durability: log"';
  const places = [...own, ...theirs];
  for (const place of places) place.error('this has no meaning with "durability: none"', { hint, atKey: true });
  return places.length === 0;
}

const loadSchema = (path: string, { readJsonFile }: RouteContext, report: Report): PayloadSchema | undefined =>
  loadPayloadSchema(path, readJsonFile, report.at('payloadSchema'));

/** The address book for the events of a source: the schemes of its connection take precedence. */
const bookOf = ({ connection }: Source, { book }: { readonly book: AddressBook }): AddressBook =>
  book.forType(connection.adapter.type);

function scopes(
  source: Source,
  convertOrigin: (origin: unknown) => unknown,
  payload: PayloadSchema | undefined,
  book: AddressBook,
): { readonly outer: (event: Event) => Scope; readonly scope: (event: Event) => Scope } {
  const outer = (event: Event): Scope => {
    const view = viewOf(event, book);
    const scope: Scope = new EventScope(view, payload?.shape.convert);
    scope.origin = convertOrigin(event.origin);
    capture(source.pattern, event.address, scope);
    return scope;
  };
  const { text } = source;
  if (text === undefined) return { outer, scope: outer };
  return { outer, scope: (event) => Object.assign(outer(event), text.match(viewOf(event, book).text ?? '')) };
}

/** What is added to the ordering key of messages that quiet hours let through. */
const EXEMPT = '(unless)';

interface CompiledConditions {
  readonly conditions: Conditions;
  readonly key: Template | undefined;
}

function compileConditions(
  route: string,
  keys: RouteKeys,
  source: Source,
  payload: PayloadSchema | undefined,
  language: Language,
  { gatewayId, book }: RouteContext,
  report: Report,
): CompiledConditions | undefined {
  const when = keys.when === undefined ? null : compileCondition(keys.when, language, report.at('when'));
  const key = keys.key === undefined ? null : compileKey(keys.key, language, report.at('key'));
  const allowed = checkAllow(keys.allow, source, report.at('allow'));
  if (when === undefined || key === undefined || !allowed) return undefined;
  const { allow, acceptOwn, late } = keys;
  const common = { route, source, allow, acceptOwn, late, payload, gatewayId, book: bookOf(source, { book }) };
  return { conditions: { ...common, when: when ?? undefined }, key: key ?? undefined };
}

function checkAllow(allow: readonly string[] | undefined, { connection }: Source, report: Report): boolean {
  if (allow === undefined) return true;
  const { access, type } = connection.adapter;
  if (access === undefined) {
    report.error(`"allow" has no meaning for ${type}: the protocol does not tell who sent a message`);
    return false;
  }
  const wrong = allow.map((entry) => access.validate(entry));
  wrong.forEach((message, index) => {
    if (message !== undefined) report.at(index).error(message);
  });
  return wrong.every((message) => message === undefined);
}

function compileTargets(context: TargetContext, report: Report): readonly CompiledTarget[] | undefined {
  const { to } = context.keys;
  const entries = Array.isArray(to)
    ? to.map((raw, index) => [raw, report.at('to', index)] as const)
    : [[to, report.at('to')] as const];
  const compiled = entries.map(([raw, place]) => compileTarget(raw, context, place));
  const targets = compiled.filter((target) => target !== undefined);
  if (targets.length < compiled.length) return undefined;
  for (const [index, { target }] of targets.entries()) {
    const place = entries[index]![1];
    const wanted = entries[index]![0].guarantee === undefined ? report : place;
    checkGuarantee(wantedGuarantee(entries[index]![0], context.keys), target.guarantee, wanted.at('guarantee'));
    const first = targets.findIndex((other) => other.target.id === target.id);
    if (first < index) {
      const hint = 'give one of them an "id" of its own';
      place.error(`the same target as ${targets[first]!.pointer}: ${target.id}`, { hint });
    }
  }
  return targets;
}

const wantedGuarantee = (raw: Readonly<Record<string, unknown>>, { guarantee }: RouteKeys): RouteKeys['guarantee'] => {
  if (raw.guarantee === undefined) return guarantee;
  return raw.guarantee === 'at-least-once' ? 'at-least-once' : 'at-most-once';
};

function assemble(
  {
    maxBodyBytes,
    ...route
  }: Pick<
    Route,
    'id' | 'request' | 'keys' | 'language' | 'targets' | 'reply' | 'otherwise' | 'lateReport' | 'scope' | 'pointer'
  > & {
    readonly maxBodyBytes: number;
  },
  { conditions, key }: CompiledConditions,
): Route {
  return {
    ...{ ...route, source: conditions.source, conditions },
    admit: (event) => admit(conditions, event, () => route.scope(event)),
    match: (event) => {
      let made: Scope | undefined;
      const scope = (): Scope => {
        made ??= route.scope(event);
        return made;
      };
      const admission = admit(conditions, event, scope);
      if (admission.type === 'no-match') return [];
      const identity = { route: route.id, maxBodyBytes };
      return route.targets.map((target) => delivery(target, key, event, admission, scope, identity));
    },
  };
}

function delivery(
  { target, key: own }: CompiledTarget,
  routeKey: Template | undefined,
  event: Event,
  admission: Admission,
  scope: () => Scope,
  { route, maxBodyBytes }: { readonly route: string; readonly maxBodyBytes: number },
): Match {
  if (admission.type === 'error') return { target, key: event.key, error: admission.error };
  const key = own ?? routeKey;
  const isExempt = target.pacing?.quiet?.isExempt;
  if (key === undefined && isExempt === undefined) return { target, key: event.key };
  startOutput(maxBodyBytes);
  try {
    const text = key?.text(scope()) ?? event.key;
    // What quiet hours let through must not wait behind what they hold: it has an order of its own.
    return { target, key: isExempt?.(event) === true ? `${text} ${EXEMPT}` : text };
  } catch (error) {
    return { target, key: event.key, error: rejection(route, error) };
  }
}

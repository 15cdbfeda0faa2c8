import {
  type Address,
  type AddressBook,
  type Event,
  type EventKind,
  encodeBody,
  type SourceRequest,
} from '@magpie/contract';
import type { SourceEnvironment } from '../../expression/environment.ts';
import { expressible } from '../../expression/expressible.ts';
import type { Language, Scope } from '../../expression/expression.ts';
import { createRouteLanguage } from '../../expression/route-language.ts';
import { createReport, isRecord, type Report } from '../../report.ts';
import { viewOf } from '../../scope.ts';
import { compileTemplate, type Template } from '../../template/template.ts';
import type { ConnectionInfo, ReplyOutcome, ReplyRules } from '../../types.ts';
import { type BodyMapping, compileBody, type MappedBody } from '../body.ts';
import type { ReplyKeys, RouteKeys } from '../schema.ts';
import { compileRequest, findConnection, type Source } from '../source.ts';
import { type AnswerContext, canAnswer, createAnswers } from './answer.ts';

/** The name of the reply in templates of `reply`. */
const REPLY = 'reply';

const REPLY_KINDS: ReadonlySet<EventKind> = new Set(['message']);

/** A compiled `reply`. */
export interface CompiledReply {
  /** Targets on this connection send requests. */
  readonly connection: ConnectionInfo;
  /** Where replies come in. */
  readonly request: SourceRequest;
  readonly rules: ReplyRules;
  /** Where the reply to an event's request is to be sent; undefined when more than one address is possible. */
  addressFor(scope: Scope): Address | undefined;
}

/** What compiling `reply` needs of its route. */
export interface ReplyContext extends AnswerContext {
  readonly keys: RouteKeys;
  readonly environment: SourceEnvironment;
  scope(event: Event): Scope;
}

/** Compiles `reply`; null without one, undefined after reporting. */
export function compileReply(context: ReplyContext, report: Report): CompiledReply | null | undefined {
  const { keys, source } = context;
  const { reply } = keys;
  if (reply === undefined) return null;
  if (isNameTaken(context, report)) return undefined;
  if (!canAnswer(context, report)) return undefined;
  const from = report.at('from');
  const connection = findConnection(reply.from.connection ?? onlyTarget(keys), context.connections, from);
  if (connection === undefined) return undefined;
  if (!targetsOf(keys).includes(connection.name))
    return void from.error(`no target sends to "${connection.name}", so no reply can come from there`);
  if (!connection.adapter.capabilities(connection.config).receives)
    return void from.error(`connection "${connection.name}" cannot receive`);
  const { connection: _, ...native } = reply.from;
  const request = compileRequest(connection, native, from);
  const templates = compileTemplates(reply, languageOf(context), report);
  if (request === undefined || templates === undefined) return undefined;
  const objection = connection.adapter.objections?.source?.(connection.config, request.options, REPLY_KINDS);
  if (objection !== undefined) return void from.error(objection);
  const rules: ReplyRules = {
    connection: connection.name,
    timeout: reply.timeout,
    answer: createReplies(templates, context, context.book.forType(connection.adapter.type)),
  };
  return { connection, request, rules, addressFor: (scope) => addressFor(request, source, scope) };
}

function isNameTaken({ source, keys }: ReplyContext, report: Report): boolean {
  const isTaken = source.captures.has(REPLY) || (isRecord(keys.let) && Object.hasOwn(keys.let, REPLY));
  if (isTaken) report.error(`"${REPLY}" names the reply here`, { hint: 'give the capture or "let" another name' });
  return isTaken;
}

const targetsOf = ({ to }: RouteKeys): readonly unknown[] => [to].flat().map(({ connection }) => connection);

/** The connection of all targets; undefined when there are several, and `from` must say which is meant. */
function onlyTarget(keys: RouteKeys): unknown {
  const [first, ...others] = new Set(targetsOf(keys));
  return others.length === 0 ? first : undefined;
}

/** The language of the route with the variable `reply`; what is wrong with `let` is reported elsewhere. */
function languageOf({ environment: own, source, keys }: ReplyContext): Language {
  const environment = own.environment.clone().registerVariable(REPLY, 'dyn');
  const isTyped = own.evaluation !== own.environment;
  const evaluation = isTyped ? own.evaluation.clone().registerVariable(REPLY, 'dyn') : environment;
  return createRouteLanguage({ ...own, environment, evaluation }, source.captures, keys.let, createReport([]));
}

interface Templates {
  /** Null: the body of the reply as it is. */
  readonly body: BodyMapping | null;
  readonly onTimeout: Template | undefined;
  readonly onRefused: Template | undefined;
}

function compileTemplates(keys: ReplyKeys, language: Language, report: Report): Templates | undefined {
  const body = compileBody({ payload: keys.payload, text: keys.text }, language, report);
  const [onTimeout, onRefused] = (['onTimeout', 'onRefused'] as const).map((name) => {
    const text = keys[name];
    return text === undefined ? null : compileTemplate(text, language, report.at(name));
  });
  if (body === undefined || onTimeout === undefined || onRefused === undefined) return undefined;
  return { body, onTimeout: onTimeout ?? undefined, onRefused: onRefused ?? undefined };
}

/** The pattern as one address: captures with the values of the route's, a wildcard for the rest left out at the end. */
function addressFor({ pattern }: SourceRequest, { captures }: Source, scope: Scope): Address | undefined {
  const { scheme } = pattern;
  const { segments } = pattern;
  const last = segments.at(-1);
  const isOpen = last?.type === 'many' && last.name === undefined;
  const values = (isOpen ? segments.slice(0, -1) : segments).map((segment) => {
    if (segment.type === 'literal') return segment.value;
    return segment.name !== undefined && captures.has(segment.name) ? scope[segment.name] : undefined;
  });
  const flat = values.flat();
  return flat.every((value) => typeof value === 'string') ? { scheme, segments: flat } : undefined;
}

function createReplies(templates: Templates, context: ReplyContext, book: AddressBook): ReplyRules['answer'] {
  const answer = createAnswers(context);
  return (request, outcome) =>
    answer(request, () => {
      const scope = context.scope(request);
      scope[REPLY] = replyValue(outcome, book);
      return bodyOf(templates, outcome, scope);
    });
}

function bodyOf(
  { body, onTimeout, onRefused }: Templates,
  outcome: ReplyOutcome,
  scope: Scope,
): MappedBody | undefined {
  if (outcome.type === 'reply') {
    const { event } = outcome;
    if (body !== null) return body.render(scope);
    return { body: event.body, ...(event.contentType === undefined ? {} : { contentType: event.contentType }) };
  }
  const template = outcome.type === 'timeout' ? onTimeout : onRefused;
  return template && encodeBody({ text: template.text(scope) });
}

/** What templates see as `reply`. */
function replyValue(outcome: ReplyOutcome, book: AddressBook): Readonly<Record<string, unknown>> {
  if (outcome.type === 'refused') return { error: outcome.reason };
  if (outcome.type === 'timeout') return {};
  const { payload, $needsMaps, text, headers, event } = viewOf(outcome.event, book);
  return known({ payload: $needsMaps ? expressible(payload) : payload, text, headers, event: known(event) });
}

const known = (values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

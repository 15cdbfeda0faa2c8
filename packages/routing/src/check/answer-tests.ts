import { type AddressBook, decodeText, type Event, errorMessage, parseJsonBody } from '@magpie/contract';
import { z } from 'zod';
import { type Report, reportUnknownKey } from '../report.ts';
import type { Route } from '../route/route.ts';
import type { Answer, ReplyOutcome } from '../types.ts';
import { differencesOf, type Fields } from './differences.ts';
import { compileGiven } from './given.ts';

/** What must go back, in a test of a route. */
export const answerKeys = z.strictObject({
  reply: z
    .unknown()
    .optional()
    .describe("The reply to the request: the native words of the reply's connection, body, headers"),
  timeout: z.literal(true).optional().describe('No reply has come in time'),
  refused: z.string().optional().describe('The request was refused, with this reason'),
  expect: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('What goes back then; only the fields named are compared. null: nothing'),
});

const OUTCOMES = ['reply', 'timeout', 'refused'] as const;

/** What can be expected of an answer besides the adapter's own keys. */
const COMPARABLE = ['connection', 'payload', 'text', 'base64', 'contentType'];

/** Compares what goes back with what is expected; undefined when they agree. */
export type AnswerCheck = (given: Event) => string | undefined;

/**
 * Compiles one entry of `answers`: what goes back after a reply, a timeout or a refusal, or without any of them at once.
 * Undefined after reporting.
 */
export function compileAnswerCheck(
  raw: z.output<typeof answerKeys>,
  given: Event,
  route: Route,
  book: (connection: string) => AddressBook,
  report: Report,
): AnswerCheck | undefined {
  const named = OUTCOMES.filter((name) => raw[name] !== undefined);
  const [outcome] = named;
  if (named.length > 1) return void report.error('expected one of reply, timeout and refused');
  if (outcome !== undefined && route.reply === undefined)
    return void report.at(outcome).error('the route has no "reply"', { atKey: true });
  const adapter = route.source.connection.adapter;
  const valid = [...COMPARABLE, ...Object.keys(adapter.targetSchema.shape)];
  const unknown = Object.keys(raw.expect ?? {}).filter((key) => !valid.includes(key));
  for (const key of unknown) reportUnknownKey(report.at('expect'), key, valid);
  if (unknown.length > 0) return undefined;
  const made = outcome === undefined ? remark(route) : answering(raw, given, route, book, report);
  if (made === undefined) return undefined;
  const what = outcome === undefined ? 'what goes back at once' : `what goes back after ${outcome}`;
  return (event) => {
    const differences = compared(() => made(event), raw.expect, book);
    return differences.length === 0 ? undefined : `${what}: ${differences.join('; ')}`;
  };
}

const remark =
  ({ lateReport, otherwise, admit }: Route) =>
  (event: Event): Answer | undefined => {
    const first = [lateReport, otherwise].find((each) => each?.concerns(event));
    return admit(event).type === 'no-match' ? first?.answer(event) : undefined;
  };

function answering(
  { reply, refused }: z.output<typeof answerKeys>,
  given: Event,
  route: Route,
  book: (connection: string) => AddressBook,
  report: Report,
): ((event: Event) => Answer | undefined) | undefined {
  const compiled = route.reply!;
  let outcome: ReplyOutcome = { type: 'timeout' };
  if (refused !== undefined) outcome = { type: 'refused', reason: refused };
  if (reply !== undefined) {
    const { connection, request, addressFor } = compiled;
    const place = { connection, pattern: request.pattern, address: addressFor(route.scope(given)) };
    const event = compileGiven(reply, place, book(connection.name), report.at('reply'));
    if (event === undefined) return undefined;
    outcome = { type: 'reply', event };
  }
  return (event) => compiled.rules.answer(event, outcome);
}

function compared(
  make: () => Answer | undefined,
  expected: Fields | null,
  book: (connection: string) => AddressBook,
): readonly string[] {
  try {
    const answer = make();
    if (answer === undefined) return expected === null ? [] : ['expected an answer, got none'];
    const fields = answerFields(answer, book(answer.connection));
    return expected === null
      ? [`expected nothing, got ${JSON.stringify(fields.text)}`]
      : differencesOf(expected, fields);
  } catch (failure) {
    return [errorMessage(failure)];
  }
}

function answerFields({ connection, target, body, contentType }: Answer, book: AddressBook): Fields {
  const { address, options } = target;
  return {
    ...Object(options),
    ...book.scheme(address.scheme)?.join(address.segments),
    ...{ connection, contentType },
    payload: parseJsonBody(body, contentType),
    text: decodeText(body, contentType),
    base64: Buffer.from(body).toString('base64'),
  };
}

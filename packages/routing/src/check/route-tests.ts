import {
  type AddressBook,
  decodeText,
  type Event,
  errorMessage,
  headerValueToJson,
  matchesPattern,
  parseJsonBody,
} from '@magpie/contract';
import { z } from 'zod';
import { startSteps } from '../expression/budget.ts';
import { type Report, reportUnknownKey } from '../report.ts';
import { parseKeys } from '../route/keys.ts';
import type { Route } from '../route/route.ts';
import { type Connections, findConnection } from '../route/source.ts';
import type { Match, RouteTestResult } from '../types.ts';
import { type AnswerCheck, answerKeys, compileAnswerCheck } from './answer-tests.ts';
import { differencesOf, type Fields } from './differences.ts';
import { compileGiven } from './given.ts';

const testKeys = z.strictObject({
  name: z.string().optional().describe('Name of the test; default its number'),
  given: z.unknown().describe("A message: the native words of the route's connection, the body, headers, kind, origin"),
  expect: z
    .array(z.record(z.string(), z.unknown()))
    .describe('Deliveries it must lead to, in order; of each only the fields named are compared'),
  answers: z.array(answerKeys).default([]).describe('What must go back to the sender, and when'),
});

/** One entry of a route's `tests`, ready to run. */
export interface RouteTest {
  run(): RouteTestResult;
}

/** What can be expected of a delivery besides the adapter's own keys. */
const COMPARABLE = [
  ...['connection', 'id', 'key', 'payload', 'text', 'base64', 'headers', 'contentType', 'correlationId', 'replyTo'],
  ...['type', 'subject', 'priority'],
];

/** Compiles the tests of a route; reports what cannot be understood. */
export function compileTests(
  route: Route,
  connections: Connections,
  book: AddressBook,
  report: Report,
): readonly RouteTest[] {
  const bookOf = (connection: string): AddressBook => book.forType(connections.get(connection)?.adapter.type);
  return (route.keys.tests ?? []).flatMap((raw, index) => {
    const place = report.at('tests', index);
    const keys = parseKeys(testKeys, raw, place);
    if (keys === undefined) return [];
    const event = compileGiven(keys.given, route.source, book, place.at('given'));
    const valid = keys.expect.map((each, at) => checkExpected(each, connections, place.at('expect', at)));
    if (event === undefined || valid.includes(false)) return [];
    const answers = keys.answers.map((each, at) =>
      compileAnswerCheck(each, event, route, bookOf, place.at('answers', at)),
    );
    const checks = answers.filter((check) => check !== undefined);
    if (checks.length < answers.length) return [];
    const identity = { route: route.id, pointer: place.pointer, name: keys.name ?? `#${index + 1}` };
    return { run: () => ({ ...identity, ...runTest(route, event, keys.expect, checks, bookOf) }) };
  });
}

function checkExpected(expected: Fields, connections: Connections, report: Report): boolean {
  const connection = findConnection(expected.connection, connections, report);
  if (connection === undefined) return false;
  const valid = [...COMPARABLE, ...Object.keys(connection.adapter.targetSchema.shape)];
  const unknown = Object.keys(expected).filter((key) => !valid.includes(key));
  for (const key of unknown) reportUnknownKey(report, key, valid);
  return unknown.length === 0;
}

/** The address book of a connection, by its name. */
type BookOf = (connection: string) => AddressBook;

function runTest(
  route: Route,
  event: Event,
  expected: readonly Fields[],
  answers: readonly AnswerCheck[],
  bookOf: BookOf,
): { failure?: string } {
  startSteps();
  const matches = matchesPattern(route.source.pattern, event.address) ? route.match(event) : [];
  const got = matches.map((match) => deliveryFields(match, event, bookOf));
  if (got.length !== expected.length) {
    return { failure: `expected ${count(expected.length)}, got ${count(got.length)}${summary(got)}` };
  }
  const differences = expected.flatMap((fields, index) =>
    differencesOf(fields, got[index]!).map((text) => `delivery ${index + 1}: ${text}`),
  );
  const failures = [...differences, ...answers.flatMap((check) => check(event) ?? [])];
  return failures.length === 0 ? {} : { failure: failures.join('; ') };
}

const count = (number: number): string => (number === 1 ? '1 delivery' : `${number === 0 ? 'no' : number} deliveries`);

const summary = (got: readonly Fields[]): string =>
  got.length === 0 ? '' : `: ${got.map(({ error, connection, id }) => error ?? `${connection} (${id})`).join(', ')}`;

/** A delivery with every field that a test may name; `error` instead when it could not be made. */
function deliveryFields({ target, key, error }: Match, event: Event, bookOf: BookOf): Fields {
  const { connection, id } = target;
  const book = bookOf(connection);
  try {
    if (error !== undefined) throw error;
    const { parts, target: request } = target.render(event);
    const { body, contentType, headers, replyTo, ...rest } = parts;
    const scheme = book.scheme(request.address.scheme);
    return {
      ...Object(request.options),
      ...scheme?.join(request.address.segments),
      ...{ ...rest, connection, id, key, contentType },
      replyTo: replyTo === undefined ? undefined : book.format(replyTo),
      payload: parseJsonBody(body, contentType),
      text: decodeText(body, contentType),
      base64: Buffer.from(body).toString('base64'),
      headers: Object.fromEntries(headers.map(([name, value]) => [name, headerValueToJson(value)])),
    };
  } catch (failure) {
    return { connection, id, key, error: errorMessage(failure) };
  }
}

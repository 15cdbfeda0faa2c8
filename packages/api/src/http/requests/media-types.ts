import { decodeUtf8, errorMessage, isTooDeep, MAX_JSON_DEPTH, mayBeInexact, parseJson } from '@magpie/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problems/problem.ts';
import { readBody } from './read-body.ts';

/**
 * The accepted media types of request bodies. A browser cannot send any of them to another origin without a preflight.
 */
export const MEDIA_TYPES = ['application/json', 'application/x-ndjson'] as const;

/** Most lines of JSON in a body. */
export const MOST_LINES = 1000;

const [JSON_TYPE, LINES_TYPE] = MEDIA_TYPES;
const ACCEPTED = /^application\/(json|x-ndjson)(?: *; *charset="?utf-8"?)?$/i;

/**
 * Parses request bodies: JSON and JSON lines in UTF-8. Any other content type or coding ends with 415; JSON that is
 * nested too deep, has a key `__proto__` or is malformed with 400. Numbers that a double cannot hold become
 * `JsonNumber`. `bodyLimit`: maximum bytes of a body; beyond it 413.
 */
export function addMediaTypes(app: FastifyInstance, bodyLimit: number): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  const parseBody = (request: FastifyRequest, bytes: Buffer): unknown => {
    let outcome: { readonly error: Error | null; readonly value?: unknown } | undefined;
    // The parser calls back synchronously. `done` is called outside, or the parser would take its errors for bad JSON.
    const text = textOf(bytes);
    void parse(request, text, (error, value) => {
      outcome ??= { error, value };
    });
    if (outcome?.error) throw notJson(outcome.error);
    return mayBeInexact(bytes) ? parseJson(text, undefined, bytes) : outcome?.value;
  };
  app.addHook('onRequest', ({ headers }, _, done) => {
    checkType(headers);
    done();
  });
  const parseLines = (request: FastifyRequest, bytes: Buffer): readonly unknown[] =>
    linesOf(bytes).map(({ text, number }) => {
      try {
        return parseBody(request, Buffer.from(text));
      } catch (error) {
        throw new Problem(400, `Line ${number}: ${errorMessage(error)}`);
      }
    });
  addParser(app, JSON_TYPE, bodyLimit, parseBody);
  addParser(app, LINES_TYPE, bodyLimit, parseLines);
}

function addParser(
  app: FastifyInstance,
  type: string,
  limit: number,
  parse: (request: FastifyRequest, bytes: Buffer) => unknown,
): void {
  app.addContentTypeParser(type, (request, payload, done) => {
    readBody(request, payload, limit, (problem, bytes) => {
      if (problem || !bytes) return done(problem);
      let value: unknown;
      try {
        value = parse(request, bytes);
      } catch (error) {
        return done(error instanceof Error ? error : new Error(errorMessage(error)));
      }
      return done(null, value);
    });
  });
}

function checkType({ 'content-type': type, 'content-encoding': coding }: FastifyRequest['headers']): void {
  if (type !== undefined && type !== JSON_TYPE && !ACCEPTED.test(type)) {
    throw new Problem(415, `Expected a body of type ${MEDIA_TYPES.join(' or ')} in UTF-8, got "${type}".`);
  }
  if (coding !== undefined && coding !== 'identity') {
    throw new Problem(415, `Expected a body without content coding, got "${coding}".`);
  }
}

function textOf(bytes: Buffer): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new Problem(400, 'Expected JSON in UTF-8, got a body that is not UTF-8.');
  if (isTooDeep(text))
    throw new Problem(400, `Expected JSON with at most ${MAX_JSON_DEPTH} levels of nesting, got more.`);
  return text;
}

const notJson = (error: Error): Problem => new Problem(400, `Expected JSON: ${errorMessage(error.cause ?? error)}.`);

interface Line {
  readonly text: string;
  /** Counted from 1, empty ones included. */
  readonly number: number;
}

/** Lines that are not blank. */
function linesOf(bytes: Buffer): readonly Line[] {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new Problem(400, 'Expected lines of JSON in UTF-8, got a body that is not UTF-8.');
  const lines: Line[] = [];
  for (let start = 0, number = 1; start <= text.length; number++) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? undefined : end);
    if (line.trim() !== '') lines.push({ text: line, number });
    if (lines.length > MOST_LINES) throw new Problem(400, `Expected at most ${MOST_LINES} lines of JSON, got more.`);
    start = end < 0 ? text.length + 1 : end + 1;
  }
  return lines;
}

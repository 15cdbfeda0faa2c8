import { eventToJson } from '@magpie/contract';
import type { PublishResult } from '@magpie/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodError } from 'zod';
import { publish, type RequestFacts } from '../messages.ts';
import { Problem } from '../problem.ts';
import { type Message, messageSchema } from '../schemas.ts';
import type { ApiOptions } from '../server.ts';

/** `POST /v1/messages` and `GET /v1/messages/{ref}`. */
export function addMessages(app: FastifyInstance, { gateway }: ApiOptions): void {
  /** Keys of requests whose commit is still under way. */
  const inProgress = new Set<string>();

  app.addContentTypeParser('application/x-ndjson', { parseAs: 'string' }, (_, body, done) => {
    try {
      done(null, parseLines(String(body)));
    } catch (error) {
      done(error as Error);
    }
  });

  app.post('/v1/messages', async (request, reply) => {
    if (gateway.state !== 'running') throw unavailable('the gateway is not taking messages', 1000);
    if (Array.isArray(request.body)) return publishAll(request.body, request, reply);
    const message = parse(request.body, '');
    const facts = factsOf(request);
    const key = facts.idempotencyKey && `${facts.principal ?? ''}\n${facts.idempotencyKey}`;
    if (key && inProgress.has(key)) {
      throw new Problem(409, 'In progress', 'A request with this Idempotency-Key is still under way.');
    }
    if (key) inProgress.add(key);
    try {
      return accepted(reply, accept(await publish(gateway, message, facts)));
    } finally {
      if (key) inProgress.delete(key);
    }
  });

  const publishAll = async (items: readonly unknown[], request: FastifyRequest, reply: FastifyReply) => {
    const messages = items.map((item, index) => parse(item, `/${index}`));
    const facts = { ...factsOf(request), idempotencyKey: undefined };
    const results = await Promise.all(messages.map((message) => publish(gateway, message, facts)));
    return reply.code(202).send({ results: results.map(accept) });
  };

  app.get<{ Params: { ref: string } }>('/v1/messages/:ref', async ({ params: { ref } }) => {
    const status = await gateway.message(ref);
    if (!status) throw new Problem(404, 'Not found', `No message ${ref} is kept.`);
    const { position, event } = status.event;
    return { position, ...eventToJson(event, gateway.book), targets: status.targets };
  });
}

function parseLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      try {
        return JSON.parse(line);
      } catch (error) {
        throw new Problem(400, 'Invalid request', `Line ${index + 1} is not JSON: ${(error as Error).message}`);
      }
    });
}

function parse(body: unknown, pointer: string): Message {
  const parsed = messageSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new Problem(400, 'Invalid request', 'The message does not fit its schema.', {
    errors: fieldProblems(parsed.error, pointer),
  });
}

const fieldProblems = (error: ZodError, pointer: string) =>
  error.issues.map(({ path, message }) => ({
    pointer: pointer + path.map((part) => `/${String(part)}`).join(''),
    detail: message,
  }));

/** The value of the header: a structured-field string (draft-ietf-httpapi-idempotency-key-header) or bare text. */
function idempotencyKey(header: string | string[] | undefined): string | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  const text = value === undefined ? undefined : /^"(.*)"$/.test(value) ? value.slice(1, -1) : value;
  if (text === undefined) return undefined;
  if (text.length > 0 && text.length <= 255) return text;
  throw new Problem(400, 'Invalid request', 'Expected an Idempotency-Key of 1 to 255 characters.');
}

function factsOf({ headers, principal }: FastifyRequest): RequestFacts {
  const { traceparent, tracestate } = headers;
  const via = headers['magpie-via'];
  return {
    principal,
    idempotencyKey: idempotencyKey(headers['idempotency-key']),
    trace:
      typeof traceparent === 'string'
        ? { traceparent, ...(typeof tracestate === 'string' ? { tracestate } : {}) }
        : undefined,
    via: typeof via === 'string' ? via.split(',').map((id) => id.trim()) : [],
    now: Date.now(),
  };
}

const unavailable = (reason: string, retryAfter: number): Problem =>
  new Problem(503, 'Unavailable', reason, {
    headers: { 'retry-after': `${Math.max(1, Math.ceil(retryAfter / 1000))}` },
  });

function accept(result: PublishResult): { readonly ref: string; readonly position: string } {
  switch (result.type) {
    case 'stored':
    case 'duplicate':
      return { ref: result.ref, position: result.position };
    case 'mismatch':
      throw new Problem(422, 'Idempotency key reused', 'This Idempotency-Key was used for another message.');
    case 'refused':
      throw new Problem(413, 'Body too large', `The message was refused: ${result.reason}.`);
    case 'unavailable':
      throw unavailable(result.reason, result.retryAfter);
  }
}

const accepted = (reply: FastifyReply, result: { readonly ref: string; readonly position: string }) =>
  reply.code(202).header('location', `/v1/messages/${result.ref}`).send(result);

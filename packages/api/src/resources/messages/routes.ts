import { isoInstant } from '@magpie/contract';
import type { TargetStatus } from '@magpie/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { callerOf, maySee } from '../../http/access/permit.ts';
import { sendText } from '../../http/answers/large.ts';
import { Problem, problemJson, toProblem } from '../../http/problems/problem.ts';
import { MEDIA_TYPES } from '../../http/requests/media-types.ts';
import { invalid, validatorOf, withShortcut } from '../../http/requests/validation.ts';
import { showAttempt } from '../dead-letters/view.ts';
import { type Resource, resource } from '../deps.ts';
import { messageStatusSchema } from '../events/schema.ts';
import { eventText } from '../events/view.ts';
import { arePlainHeaders, isPlainMessage } from './fast-check.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { requestFacts } from './request-facts.ts';
import {
  acceptedSchema,
  batchSchema,
  type MessageHeaders,
  messageHeadersSchema,
  messageSchema,
  messagesBodySchema,
} from './schema.ts';

const checkBody = withShortcut(
  isPlainMessage,
  validatorOf((data) => (Array.isArray(data) ? batchSchema : messageSchema), 'body'),
);
const checkHeaders = withShortcut(
  arePlainHeaders,
  validatorOf(() => messageHeadersSchema, 'header'),
);

const postMessages: Resource = resource({
  method: 'POST',
  url: '/v1/messages',
  summary: 'Publish a message, or a batch as a JSON array or JSON lines; the answer comes once it is on disk',
  schema: { headers: messageHeadersSchema, body: messagesBodySchema, response: { 202: acceptedSchema } },
  problems: [400, 409, 413, 415, 422, 503, 507],
  needs: { action: 'publish', scope: 'place' },
  consumes: MEDIA_TYPES,
  validatorCompiler: ({ httpPart }) => (httpPart === 'body' ? checkBody : checkHeaders),
  handler: ({ gateway }) => {
    const publisher = createPublisher(gateway);
    return async (request, reply) => {
      const { body, headers } = request;
      const stored = request.share?.keep();
      try {
        if (Array.isArray(body))
          return reply.code(202).send({ results: await publishAll(publisher, body, request, headers) });
        const accepted = await publisher.publish(body, requestFacts(headers, callerOf(request), request.ip));
        return reply.code(202).header('location', `/v1/messages/${accepted.ref}`).send(accepted);
      } finally {
        stored?.();
      }
    };
  },
});

/** Every message of a batch is accepted or refused separately. */
function publishAll(publisher: Publisher, items: readonly unknown[], request: FastifyRequest, headers: MessageHeaders) {
  const facts = requestFacts(headers, callerOf(request), request.ip);
  return Promise.all(
    items.map(async (item, index) => {
      const { idempotencyKey } = facts;
      const own = idempotencyKey === undefined ? facts : { ...facts, idempotencyKey: `${idempotencyKey}\n${index}` };
      try {
        return await publisher.publish(parseItem(item), own);
      } catch (error) {
        return { problem: problemJson(toProblem(error)) };
      }
    }),
  );
}

function parseItem(item: unknown) {
  if (isPlainMessage(item)) return item;
  const parsed = messageSchema.safeParse(item, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw invalid(messageSchema, parsed.error, 'body');
}

const getMessage: Resource = resource({
  method: 'GET',
  url: '/v1/messages/:ref',
  summary: 'An event and its state at each of its targets',
  schema: { params: z.object({ ref: z.string().max(64) }), response: { 200: messageStatusSchema } },
  problems: [400, 404],
  needs: { action: 'read', scope: 'place' },
  large: true,
  handler:
    ({ gateway }) =>
    async (request, reply) => {
      const { ref } = request.params;
      const status = await gateway.message(ref);
      if (!status || !maySee(callerOf(request), status.event.event))
        throw new Problem(404, `There is no message ${ref}: it never existed, or the log no longer keeps it.`);
      const targets = JSON.stringify(status.targets.map(showTarget));
      return sendText(request, reply, `${eventText(gateway, status.event).slice(0, -1)},"targets":${targets}}`);
    },
});

const getBody: Resource = resource({
  method: 'GET',
  url: '/v1/messages/:ref/body',
  summary: 'The bytes of an event’s body, for events whose body is too large for the stream',
  schema: {
    params: z.object({ ref: z.string().max(64) }),
    response: { 200: { description: 'The bytes', content: { 'application/octet-stream': { schema: z.string() } } } },
  },
  problems: [404],
  needs: { action: 'read', scope: 'place' },
  large: true,
  handler:
    ({ gateway }) =>
    async (request, reply) => {
      const { ref } = request.params;
      const status = await gateway.message(ref);
      if (!status || !maySee(callerOf(request), status.event.event))
        throw new Problem(404, `There is no message ${ref}: it never existed, or the log no longer keeps it.`);
      const { body } = status.event.event;
      request.answerShare?.shrink(body.byteLength);
      // Never with the sender's media type: a browser would run it as a page of the gateway.
      return reply
        .type('application/octet-stream')
        .header('x-content-type-options', 'nosniff')
        .header('content-disposition', 'attachment')
        .send(Buffer.from(body));
    },
});

const showTarget = ({ at, nextAttempt, failures, ...status }: TargetStatus) => ({
  ...status,
  ...(at === undefined ? {} : { at: isoInstant(at) }),
  ...(nextAttempt === undefined ? {} : { nextAttempt: isoInstant(nextAttempt) }),
  ...(failures === undefined ? {} : { failures: failures.map(showAttempt) }),
});

/** `POST /v1/messages`, `GET /v1/messages/{ref}` and its body. */
export const messageResources: readonly Resource[] = [postMessages, getMessage, getBody];

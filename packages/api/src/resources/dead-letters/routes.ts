import type { Action } from '@magpie/access';
import type { DeadLetterEdit, Gateway } from '@magpie/core';
import { z } from 'zod';
import { type Caller, callerOf, connectionOf, maySee, permit, permitAt } from '../../http/access/permit.ts';
import { sendList, sendText } from '../../http/answers/large.ts';
import { withParameter } from '../../http/links.ts';
import { Problem } from '../../http/problems/problem.ts';
import { type Resource, resource } from '../deps.ts';
import { defined, headerList } from '../messages/to-event.ts';
import {
  type DeadLetterEditBody,
  deadLetterSchema,
  deadLettersQuerySchema,
  deadLettersSchema,
  droppedSchema,
  dropSchema,
  editSchema,
  retriedSchema,
  retryingSchema,
  retrySchema,
} from './schema.ts';
import { deadLetterText, summarize } from './view.ts';

const params = z.object({ id: z.string().max(64) });

const unknownLetter = (id: string): Problem =>
  new Problem(404, `There is no dead letter ${id}: it was dropped, retried, or never existed.`);

/** A dead letter that the caller may see, and about which it may do all of `actions`. */
async function find(gateway: Gateway, id: string, caller: Caller, ...actions: readonly Action[]) {
  const letter = await gateway.deadLetters.get(id);
  if (!letter || !maySee(caller, letter.event)) throw unknownLetter(id);
  for (const action of actions) permitAt(caller, action, connectionOf(letter.event), letter.event.address, gateway);
  return letter;
}

/** The operator's changes in the form of the core. */
const editOf = ({ headers, ...rest }: DeadLetterEditBody): DeadLetterEdit =>
  defined({ ...rest, headers: headers && headerList(headers) });

const list = resource({
  method: 'GET',
  url: '/v1/dead-letters',
  summary: 'Failed deliveries, oldest first',
  needs: { action: 'read', scope: 'place' },
  schema: { querystring: deadLettersQuerySchema, response: { 200: deadLettersSchema } },
  problems: [400],
  large: true,
  handler:
    ({ gateway }) =>
    async (request, reply) => {
      const { query, url } = request;
      const caller = callerOf(request);
      const { letters, next } = await pageOf(gateway, query);
      if (next !== undefined) reply.header('link', `<${withParameter(url, 'after', next)}>; rel="next"`);
      const isAll = caller.access.everywhere('read') === undefined;
      const retrying = isAll ? gateway.deadLetters.retrying() : 0;
      const rest = { ...(next === undefined ? {} : { next }), retrying };
      const items = letters
        .filter(({ event }) => maySee(caller, event))
        .map((letter) => JSON.stringify(summarize(gateway, letter)));
      return sendList(request, reply, { name: 'deadLetters', items, rest, bytes: items.join('').length });
    },
});

/** One page. A page below the limit is not necessarily the last. */
async function pageOf({ deadLetters }: Gateway, { limit, ...given }: z.output<typeof deadLettersQuerySchema>) {
  const query = defined(given);
  const letters = await deadLetters.list({ ...query, limit });
  const after = letters.at(-1)?.id;
  if (after === undefined) return { letters, next: undefined };
  const isLast = letters.length < limit && (await deadLetters.list({ ...query, after, limit: 1 })).length === 0;
  return { letters, next: isLast ? undefined : after };
}

const show = resource({
  method: 'GET',
  url: '/v1/dead-letters/:id',
  summary: 'A dead letter: reason, attempts, the event and the message as sent',
  needs: { action: 'read', scope: 'place' },
  schema: { params, response: { 200: deadLetterSchema } },
  problems: [404],
  large: true,
  handler:
    ({ gateway }) =>
    async (request, reply) =>
      sendText(request, reply, deadLetterText(gateway, await find(gateway, request.params.id, callerOf(request)))),
});

const retry = resource({
  method: 'POST',
  url: '/v1/dead-letters/:id/retry',
  summary: 'Retry a dead letter with the current routes, with changes if given',
  needs: { action: 'operate', scope: 'place' },
  schema: { params, body: editSchema.nullable(), response: { 202: retriedSchema } },
  problems: [400, 404, 413, 415, 422],
  handler:
    ({ gateway }) =>
    async (request, reply) => {
      const {
        params: { id },
        body,
      } = request;
      // Who changes what is sent, and by templates where to, publishes.
      const actions: readonly Action[] = body ? ['operate', 'publish'] : ['operate'];
      const { event } = await find(gateway, id, callerOf(request), ...actions);
      await gateway.deadLetters.retry(id, body ? editOf(body) : undefined);
      return reply.code(202).header('location', `/v1/messages/${event.ref}`).send({ id, ref: event.ref });
    },
});

const drop = resource({
  method: 'DELETE',
  url: '/v1/dead-letters/:id',
  summary: 'Delete a dead letter for good',
  needs: { action: 'operate', scope: 'place' },
  schema: { params, response: { 204: z.null().describe('It is gone.') } },
  problems: [404],
  handler:
    ({ gateway }) =>
    async (request, reply) => {
      const { id } = request.params;
      await find(gateway, id, callerOf(request), 'operate');
      if (!(await gateway.deadLetters.drop(id))) throw unknownLetter(id);
      return reply.code(204).send();
    },
});

const retryAll = resource({
  method: 'POST',
  url: '/v1/dead-letters/retry',
  summary: 'Retry all matching dead letters in the background, at a rate per second',
  needs: { action: 'operate', scope: 'everywhere' },
  schema: { body: retrySchema, response: { 202: retryingSchema } },
  problems: [400, 415],
  handler:
    ({ gateway }) =>
    async (request, reply) => {
      const { rate, ...selection } = request.body;
      permit(callerOf(request), 'read'); // It says how many there are.
      return reply.code(202).send(await gateway.deadLetters.retryAll(defined(selection), rate));
    },
});

const dropAll = resource({
  method: 'POST',
  url: '/v1/dead-letters/drop',
  summary: 'Delete all matching dead letters for good',
  needs: { action: 'operate', scope: 'everywhere' },
  schema: { body: dropSchema, response: { 200: droppedSchema } },
  problems: [400, 415],
  handler:
    ({ gateway }) =>
    async (request) => {
      permit(callerOf(request), 'read'); // It says how many there were.
      return { dropped: await gateway.deadLetters.dropAll(defined(request.body)) };
    },
});

/** `/v1/dead-letters` with the operators' actions. */
export const deadLetterResources: readonly Resource[] = [list, show, retry, drop, retryAll, dropAll];

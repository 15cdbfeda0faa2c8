import { eventToJson } from '@magpie/contract';
import type { EventFilter, Gateway } from '@magpie/core';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { Problem } from '../problem.ts';
import { eventsQuerySchema } from '../schemas.ts';

/** `GET /v1/events`: history by connection, address pattern and cursor. */
export function addEvents(app: FastifyInstance, gateway: Gateway): void {
  app.get('/v1/events', { schema: { querystring: eventsQuerySchema } }, async (request, reply) => {
    const query = request.query as z.output<typeof eventsQuerySchema>;
    const { after, before, limit } = query;
    if (after !== undefined && before !== undefined) {
      throw new Problem(400, 'Invalid request', 'Expected at most one of after and before.');
    }
    const from = after ?? before;
    const page = await gateway.events(filterOf(gateway, query), {
      limit,
      back: after === undefined,
      ...(from === undefined || from === 'earliest' ? {} : { from: position(gateway, from) }),
    });
    const next = page.next && nextUrl(request.url, after === undefined ? 'before' : 'after', page.next);
    if (next) reply.header('link', `<${next}>; rel="next"`);
    return {
      events: page.events.map(({ position: place, event }) => ({
        position: place,
        ...eventToJson(event, gateway.book),
      })),
      ...(page.next ? { next: page.next } : {}),
    };
  });
}

/** What a query or a subscription asks for, as a filter of the core. */
export function filterOf(
  gateway: Gateway,
  {
    connection,
    address,
    kind,
  }: {
    connection?: string | undefined;
    address?: string | undefined;
    kind?: EventFilter['kinds'] extends readonly (infer K)[] | undefined ? K | undefined : never;
  },
): EventFilter {
  return {
    ...(connection === undefined ? {} : { connection }),
    ...(address === undefined ? {} : { pattern: gateway.pattern(address, connection) }),
    ...(kind === undefined ? {} : { kinds: [kind] }),
  };
}

function position(gateway: Gateway, text: string) {
  const parsed = gateway.parsePosition(text);
  if (parsed) return parsed;
  throw new Problem(400, 'Invalid request', `"${text}" is not a position of this log.`, {
    errors: [{ pointer: 'after', detail: 'expected a position as events carry it' }],
  });
}

function nextUrl(url: string, name: string, cursor: string): string {
  const [path, query = ''] = url.split('?');
  const parameters = new URLSearchParams(query);
  parameters.set(name, cursor);
  return `${path}?${parameters}`;
}

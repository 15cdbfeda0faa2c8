import { withParameter } from '../../http/links.ts';
import { type Resource, resource } from '../deps.ts';
import { eventsPageSchema, eventsQuerySchema } from './schema.ts';
import { filterOf, positionOf, showEvent } from './view.ts';

/** `GET /v1/events`: history by connection, address pattern, kind and cursor. */
export const eventResources: readonly Resource[] = [
  resource({
    method: 'GET',
    url: '/v1/events',
    summary: 'History: newest first, or oldest first with `after`',
    schema: { querystring: eventsQuerySchema, response: { 200: eventsPageSchema } },
    problems: [400],
    handler:
      ({ gateway }) =>
      async ({ query, url }, reply) => {
        const { connection, address, kind, after, before, limit } = query;
        const filter = filterOf(gateway, { connection, address, kinds: kind && [kind] }, 'query');
        const [cursor, from] = after === undefined ? (['before', before] as const) : (['after', after] as const);
        const isEarliest = cursor === 'after' && from === 'earliest';
        const page = await gateway.events(filter, {
          limit,
          back: cursor === 'before',
          ...(from === undefined || isEarliest ? {} : { from: positionOf(gateway, from, 'query', `/${cursor}`) }),
        });
        const { next } = page;
        if (next !== undefined) reply.header('link', `<${withParameter(url, cursor, next)}>; rel="next"`);
        const events = page.events.map((stored) => showEvent(gateway, stored));
        return { events, ...(next === undefined ? {} : { next }) };
      },
  }),
];

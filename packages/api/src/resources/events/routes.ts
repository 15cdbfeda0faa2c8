import { callerOf } from '../../http/access/permit.ts';
import { sendList } from '../../http/answers/large.ts';
import { withParameter } from '../../http/links.ts';
import { type Resource, resource } from '../deps.ts';
import { eventsPageSchema, eventsQuerySchema } from './schema.ts';
import { eventTexts, permittedFilter, positionOf } from './view.ts';

/** Estimated JSON size of an event without its body, bytes. */
const EVENT_OVERHEAD = 1024;

/** `GET /v1/events`: history by connection, address pattern, kind and cursor. */
export const eventResources: readonly Resource[] = [
  resource({
    method: 'GET',
    url: '/v1/events',
    summary: 'History: newest first, or oldest first with `after`',
    schema: { querystring: eventsQuerySchema, response: { 200: eventsPageSchema } },
    problems: [400],
    needs: { action: 'read', scope: 'place' },
    large: true,
    handler:
      ({ gateway }) =>
      async (request, reply) => {
        const { query, url } = request;
        const { connection, address, kind, after, before, limit } = query;
        const selection = { connection, address, kinds: kind && [kind] };
        const filter = permittedFilter(gateway, callerOf(request), 'read', selection, 'query');
        const [cursor, from] = after === undefined ? (['before', before] as const) : (['after', after] as const);
        const isEarliest = cursor === 'after' && from === 'earliest';
        const page = await gateway.events(filter, {
          limit,
          back: cursor === 'before',
          ...(from === undefined || isEarliest ? {} : { from: positionOf(gateway, from, 'query', `/${cursor}`) }),
        });
        const { next } = page;
        if (next !== undefined) reply.header('link', `<${withParameter(url, cursor, next)}>; rel="next"`);
        return sendList(request, reply, {
          name: 'events',
          items: eventTexts(gateway, page.events),
          rest: next === undefined ? {} : { next },
          bytes: page.events.reduce((sum, { event }) => sum + event.body.byteLength + EVENT_OVERHEAD, 0),
        });
      },
  }),
];

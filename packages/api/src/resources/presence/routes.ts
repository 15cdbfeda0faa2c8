import { isoInstant, matchesPattern, type PresenceEntry } from '@magpie/contract';
import type { Gateway } from '@magpie/core';
import { callerOf, maySee, permitSomewhere } from '../../http/access/permit.ts';
import { type Resource, resource } from '../deps.ts';
import { filterOf } from '../events/view.ts';
import { presencePageSchema, presenceQuerySchema } from './schema.ts';

/** `GET /v1/presence`. */
export const presenceResources: readonly Resource[] = [
  resource({
    method: 'GET',
    url: '/v1/presence',
    summary: 'Who and what is there at the moment: people, occupants of rooms, devices as contacts',
    schema: { querystring: presenceQuerySchema, response: { 200: presencePageSchema } },
    problems: [400],
    needs: { action: 'read', scope: 'place' },
    handler:
      ({ gateway }) =>
      async (request) => {
        const { query } = request;
        const caller = callerOf(request);
        const { after, limit } = query;
        if (query.connection !== undefined) permitSomewhere(caller, 'read', query.connection);
        const { connection, pattern } = filterOf(gateway, query, 'query');
        const found = [...gateway.presence()]
          .filter(([name]) => connection === undefined || name === connection)
          .filter(([, { address }]) => pattern === undefined || matchesPattern(pattern, address))
          .filter(([source, { address }]) => maySee(caller, { source, address, origin: {} }))
          .map(([name, entry]) => ({ place: placeOf(name, entry), name, entry }))
          .filter(({ place }) => after === undefined || place > after)
          .sort((a, b) => (a.place < b.place ? -1 : 1));
        const page = found.slice(0, limit);
        const last = page.at(-1);
        const types = new Map(gateway.connections().map(({ name, type }) => [name, type]));
        return {
          presence: page.map(({ name, entry }) => show(gateway, name, entry, types.get(name))),
          ...(last && found.length > page.length ? { next: last.place } : {}),
        };
      },
  }),
];

/** Where an entry stands in the order of all. */
const placeOf = (connection: string, { address, key }: PresenceEntry): string =>
  JSON.stringify([connection, address.scheme, ...address.segments, key]);

function show(
  { book }: Gateway,
  connection: string,
  { address, key, state, since }: PresenceEntry,
  type: string | undefined,
): object {
  return {
    ...state,
    ...{ connection, address: book.format(address, type), key },
    ...(since === undefined ? {} : { since: isoInstant(since) }),
  };
}

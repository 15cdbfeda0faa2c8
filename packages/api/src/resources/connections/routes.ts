import { isoInstant } from '@magpie/contract';
import type { ConnectionStatus, Gateway } from '@magpie/core';
import { z } from 'zod';
import { type Caller, callerOf } from '../../http/access/permit.ts';
import { Problem } from '../../http/problems/problem.ts';
import { type Resource, resource } from '../deps.ts';
import { connectionSchema, connectionsSchema } from './schema.ts';

/** `GET /v1/connections` and `GET /v1/connections/{name}`. */
export const connectionResources: readonly Resource[] = [
  resource({
    method: 'GET',
    url: '/v1/connections',
    summary: 'All connections with their state',
    needs: { action: 'read', scope: 'place' },
    schema: { response: { 200: connectionsSchema } },
    handler:
      ({ gateway }) =>
      async (request) => ({ connections: seen(gateway, callerOf(request)).map(show) }),
  }),
  resource({
    method: 'GET',
    url: '/v1/connections/:name',
    summary: 'The state of one connection',
    schema: { params: z.object({ name: z.string() }), response: { 200: connectionSchema } },
    needs: { action: 'read', scope: 'place' },
    problems: [404],
    handler:
      ({ gateway }) =>
      async (request) => {
        const { params } = request;
        const all = seen(gateway, callerOf(request));
        const status = all.find(({ name }) => name === params.name);
        if (status) return show(status);
        const names = all.map(({ name }) => name).join(', ') || 'none is there to see';
        throw new Problem(404, `There is no connection "${params.name}": expected one of ${names}.`);
      },
  }),
];

/** The connections of which a caller may read everything: details and errors of the others name addresses. */
const seen = (gateway: Gateway, { access }: Caller): readonly ConnectionStatus[] =>
  gateway
    .connections()
    .filter(({ name }) => access.within('read', { connection: name, pattern: undefined }) === undefined);

function show({ since, lastRoundTrip, error, nextAttempt, ...status }: ConnectionStatus): object {
  return {
    ...status,
    since: isoInstant(since),
    ...(lastRoundTrip ? { lastRoundTrip: { ...lastRoundTrip, at: isoInstant(lastRoundTrip.at) } } : {}),
    ...(error ? { error: { ...error, at: isoInstant(error.at) } } : {}),
    ...(nextAttempt === undefined ? {} : { nextAttempt: isoInstant(nextAttempt) }),
  };
}

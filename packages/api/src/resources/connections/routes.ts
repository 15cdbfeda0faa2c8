import { isoInstant } from '@magpie/contract';
import type { ConnectionStatus } from '@magpie/core';
import { z } from 'zod';
import { Problem } from '../../http/problems/problem.ts';
import { type Resource, resource } from '../deps.ts';
import { connectionSchema, connectionsSchema } from './schema.ts';

/** `GET /v1/connections` and `GET /v1/connections/{name}`. */
export const connectionResources: readonly Resource[] = [
  resource({
    method: 'GET',
    url: '/v1/connections',
    summary: 'All connections with their state',
    schema: { response: { 200: connectionsSchema } },
    handler:
      ({ gateway }) =>
      async () => ({ connections: gateway.connections().map(show) }),
  }),
  resource({
    method: 'GET',
    url: '/v1/connections/:name',
    summary: 'The state of one connection',
    schema: { params: z.object({ name: z.string() }), response: { 200: connectionSchema } },
    problems: [404],
    handler:
      ({ gateway }) =>
      async ({ params }) => {
        const all = gateway.connections();
        const status = all.find(({ name }) => name === params.name);
        if (status) return show(status);
        const names = all.map(({ name }) => name).join(', ') || 'none is configured';
        throw new Problem(404, `There is no connection "${params.name}": expected one of ${names}.`);
      },
  }),
];

function show({ since, lastRoundTrip, error, nextAttempt, ...status }: ConnectionStatus): object {
  return {
    ...status,
    since: isoInstant(since),
    ...(lastRoundTrip ? { lastRoundTrip: { ...lastRoundTrip, at: isoInstant(lastRoundTrip.at) } } : {}),
    ...(error ? { error: { ...error, at: isoInstant(error.at) } } : {}),
    ...(nextAttempt === undefined ? {} : { nextAttempt: isoInstant(nextAttempt) }),
  };
}

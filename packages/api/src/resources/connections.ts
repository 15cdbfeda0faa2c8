import type { ConnectionStatus, Gateway } from '@magpie/core';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../problem.ts';

/** `GET /v1/connections` and `/v1/connections/{name}`. */
export function addConnections(app: FastifyInstance, gateway: Gateway): void {
  app.get('/v1/connections', async () => ({ connections: gateway.connections().map(show) }));

  app.get<{ Params: { name: string } }>('/v1/connections/:name', async ({ params }) => {
    const status = gateway.connections().find(({ name }) => name === params.name);
    if (status) return show(status);
    const names = gateway.connections().map(({ name }) => name);
    throw new Problem(
      404,
      'Not found',
      `There is no connection "${params.name}": expected one of ${names.join(', ')}.`,
    );
  });
}

const iso = (ms: number): string => new Date(ms).toISOString();

function show({ since, lastRoundTrip, error, nextAttempt, ...status }: ConnectionStatus): object {
  return {
    ...status,
    since: iso(since),
    ...(lastRoundTrip ? { lastRoundTrip: { ...lastRoundTrip, at: iso(lastRoundTrip.at) } } : {}),
    ...(error ? { error: { ...error, at: iso(error.at) } } : {}),
    ...(nextAttempt === undefined ? {} : { nextAttempt: iso(nextAttempt) }),
  };
}

import type { FastifyInstance } from 'fastify';
import type { ApiOptions } from '../server.ts';

/** `/livez`, `/readyz`, `/metrics` and the entry `/v1`. */
export function addHealth(app: FastifyInstance, { gateway, metrics }: ApiOptions): void {
  app.get('/livez', async () => ({ status: 'alive' }));

  app.get('/readyz', async (_, reply) => {
    const waiting = gateway.connections().filter(({ state }) => state !== 'up');
    const ready = gateway.state === 'running' && waiting.length === 0;
    const connections = Object.fromEntries(waiting.map(({ name, state }) => [name, state]));
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : gateway.state, waiting: connections });
  });

  app.get('/metrics', async (_, reply) => reply.type(metrics.contentType).send(await metrics.expose()));

  app.get('/v1', async () => ({
    gateway: gateway.id,
    version: gateway.version,
    links: ['/v1/messages', '/v1/events', '/v1/connections', '/v1/stream', '/livez', '/readyz', '/metrics'],
  }));
}

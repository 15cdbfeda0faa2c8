import { z } from 'zod';
import { type Resource, resource } from '../deps.ts';

const readiness = z.object({
  status: z.string().describe('`ready`, `waiting` for connections, or the state of the gateway.'),
  waiting: z.record(z.string(), z.string()).describe('Connections that are not up, with their states.'),
});

/** `/livez`, `/readyz` and `/metrics`. */
export const healthResources: readonly Resource[] = [
  resource({
    method: 'GET',
    url: '/livez',
    summary: 'Whether the process serves requests; independent of connections',
    open: true,
    schema: { response: { 200: z.object({ status: z.literal('alive') }) } },
    handler: () => async () => ({ status: 'alive' }),
  }),
  resource({
    method: 'GET',
    url: '/readyz',
    summary: 'Whether the gateway runs and every connection is up; otherwise 503, also while it drains',
    open: true,
    schema: { response: { 200: readiness, 503: readiness } },
    handler:
      ({ gateway }) =>
      async (_, reply) => {
        const down = gateway.connections().filter(({ state }) => state !== 'up');
        const ready = gateway.state === 'running' && down.length === 0;
        const waiting = Object.fromEntries(down.map(({ name, state }) => [name, state]));
        const status = gateway.state === 'running' ? (ready ? 'ready' : 'waiting') : gateway.state;
        return reply.code(ready ? 200 : 503).send({ status, waiting });
      },
  }),
  resource({
    method: 'GET',
    url: '/metrics',
    summary: 'Metrics in the Prometheus text form',
    needs: { action: 'metrics', scope: 'everywhere' },
    schema: { response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } } } },
    handler:
      ({ metrics }) =>
      async (_, reply) =>
        reply.type(metrics.contentType).send(await metrics.expose()),
  }),
];

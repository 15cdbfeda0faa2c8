import type { FastifyInstance } from 'fastify';
import { Problem } from '../problem.ts';
import { PROTOCOL, type Streams } from './sessions.ts';

/** `/v1/stream`: the WebSocket. Pages of other origins need to be allowed by `http.cors.origins`. */
export function addStream(app: FastifyInstance, streams: Streams, origins: readonly string[]): void {
  app.get(
    '/v1/stream',
    {
      websocket: true,
      preValidation: async ({ headers }) => {
        const { origin, host, 'sec-websocket-protocol': offered = '' } = headers;
        if (origin !== undefined && new URL(origin).host !== host && !origins.includes(origin)) {
          throw new Problem(
            403,
            'Forbidden',
            `Pages of ${origin} may not use the stream: add it to http.cors.origins.`,
          );
        }
        if (!offered.split(',').some((name) => name.trim() === PROTOCOL)) {
          throw new Problem(400, 'Invalid request', `Expected the subprotocol ${PROTOCOL}, got "${offered}".`);
        }
      },
    },
    (socket) => streams.open(socket),
  );
}

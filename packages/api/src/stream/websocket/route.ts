import type { FastifyInstance, FastifyRequest } from 'fastify';
import { checkOrigin } from '../../http/access/page-guard.ts';
import { callerOf } from '../../http/access/permit.ts';
import { Problem, unavailable } from '../../http/problems/problem.ts';
import { addOtherMethods, problemResponses } from '../../http/resource.ts';
import { PROTOCOL, RECONNECT_MS } from '../frames.ts';
import type { Streams } from './sockets.ts';

/** Path of the stream; tickets are valid for this path only. */
export const STREAM_PATH = '/v1/stream';

/** Dependencies of the stream's route. */
export interface StreamRouteDeps {
  readonly streams: Streams;
  /** Origins of other sites whose pages may open the stream. */
  readonly origins: readonly string[];
  readonly isClosing: () => boolean;
}

/** `/v1/stream`: the WebSocket. */
export function addStream(app: FastifyInstance, { streams, origins, isClosing }: StreamRouteDeps): void {
  app.route({
    method: 'GET',
    url: STREAM_PATH,
    config: { tickets: true, upgrades: true },
    schema: {
      summary: `Live events by WebSocket, subprotocol ${PROTOCOL}`,
      response: problemResponses([400, 401, 403, 421, 426, 429, 503]),
    },
    preValidation: async ({ ws, headers }) => {
      if (!ws) throw notUpgraded();
      checkOrigin(headers, origins);
      checkProtocol(headers);
      if (isClosing()) throw unavailable('The gateway is stopping.', RECONNECT_MS);
    },
    handler: () => {
      throw notUpgraded();
    },
    wsHandler: (socket, request) => streams.open(socket, callerOf(request)),
  });
  addOtherMethods(app, STREAM_PATH, ['GET']);
}

const notUpgraded = (): Problem =>
  new Problem(426, 'Expected a WebSocket: send Upgrade: websocket.', {
    headers: { upgrade: 'websocket', connection: 'upgrade' },
  });

/**
 * Without any subprotocol the socket is opened and closed with a code that explains it: a web page cannot see an HTTP
 * status.
 */
function checkProtocol({ 'sec-websocket-protocol': offered }: FastifyRequest['headers']): void {
  if (offered === undefined || offered.split(',').some((name) => name.trim() === PROTOCOL)) return;
  throw new Problem(400, `Expected the subprotocol ${PROTOCOL}, got "${offered}".`);
}

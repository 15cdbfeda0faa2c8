import { createServer, type Server, type Socket } from 'node:net';

/**
 * Listens on 127.0.0.1 and hands each connection to `accept`. Half-closed connections stay open until both sides ended.
 * @param port 0 for a free one.
 * @throws Error when the port is taken.
 */
export function listen(port: number, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

/**
 * The TCP port `server` listens on.
 * @throws Error when it does not listen on one.
 */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server does not listen on a TCP port.');
  return address.port;
}

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may wait on one connection behind the one in work; a client that sends more is cut off. */
const MOST_WAITING = 64;

type Waiting = readonly [IncomingMessage, ServerResponse];

/**
 * Lets one request of each connection into work at a time; those that a client has sent ahead (RFC 9112, 9.3.2) wait for
 * their turn. Otherwise one client could have a thousand answers made at once that it never reads.
 */
export function oneAtATime(handle: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, Waiting[]>();

  const work = (socket: Socket, [request, response]: Waiting): void => {
    response.once('close', () => {
      const next = waiting.get(socket)?.shift();
      if (next && !socket.destroyed) work(socket, next);
      else waiting.delete(socket);
    });
    handle(request, response);
  };

  return (request, response) => {
    const { socket } = request;
    const queue = waiting.get(socket);
    if (queue && queue.length >= MOST_WAITING) return void socket.destroy();
    if (queue) return void queue.push([request, response]);
    waiting.set(socket, []);
    return work(socket, [request, response]);
  };
}

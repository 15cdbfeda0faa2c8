import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that may wait on one connection behind the one in progress; a client that sends more is cut off. */
const MOST_WAITING = 64;

type Waiting = readonly [IncomingMessage, ServerResponse];

/**
 * Handles one request per connection at a time; pipelined requests (RFC 9112, 9.3.2) wait for their turn. Otherwise one
 * client could cause a thousand answers at once without reading any.
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

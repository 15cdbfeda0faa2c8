import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { unavailable } from '../problems/problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What its body takes of the bound on waiting bodies; undefined without a body. */
    share: Share | undefined;
  }
}

/** What one request takes of the bound: from its headers on until its answer is out, or the client is gone, and nobody keeps it. */
export interface Share {
  /** The body is read: from now on it weighs what it has. */
  weigh(bytes: number): void;
  /** What the request brought waits for the log, also when the client is gone. Returns what ends that, to be called once. */
  keep(): () => void;
}

/** Bodies that may be on their way into the log at a time: in the hands of all requests together, bytes. */
export const MOST_WAITING: number = 64 * 1024 * 1024;

/** What a request costs besides its body, bytes: so that there is a bound on their number as well. */
const OVERHEAD = 4096;

/** When to try again, ms: the log takes up much within a second, unless the disk stands still. */
const RETRY_MS = 1000;

/** The bound of an API. */
export interface LoadOptions {
  /** Most bytes that may be waiting; one body is taken in whatever its size. */
  readonly most: number;
  /** Largest body, for requests that do not say how large theirs is. */
  readonly bodyLimit: number;
  /** A request is turned away. */
  refused(): void;
}

/** Turns requests with a body away, before it is read, while too much waits already: the log may be slow or stand still. */
export function addLoadLimit(app: FastifyInstance, { most, bodyLimit, refused }: LoadOptions): void {
  let waiting = 0;
  const take = (bytes: number, reply: FastifyReply): Share => {
    let weight = OVERHEAD + bytes;
    let keepers = 0;
    const keep = (): (() => void) => {
      if (keepers++ === 0) waiting += weight;
      return () => {
        if (--keepers === 0) waiting -= weight;
      };
    };
    reply.raw.once('close', keep());
    return {
      keep,
      weigh: (size) => {
        if (keepers > 0) waiting += OVERHEAD + size - weight;
        weight = OVERHEAD + size;
      },
    };
  };
  app.decorateRequest('share', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const bytes = announced(request, bodyLimit);
    if (bytes === undefined) return done();
    if (waiting > 0 && waiting + OVERHEAD + bytes > most) {
      refused();
      throw unavailable('Too much waits to be stored already.', RETRY_MS);
    }
    request.share = take(bytes, reply);
    return done();
  });
}

/** Bytes of the body by the headers of a request; undefined when it has none. */
function announced({ headers }: FastifyRequest, most: number): number | undefined {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (coding !== undefined) return most;
  // What is larger than the limit is refused without being read.
  return length === undefined || length === '0' ? undefined : Math.min(Number(length), most);
}

import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem, retryAfter, unavailable } from '../problems/problem.ts';
import { BodyBudget, type Share } from './body-budget.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What its body takes of the bound on waiting bodies; undefined without a body. */
    share: Share | undefined;
  }
}

/** Bodies that may be on their way into the log at a time: in the hands of all requests together, bytes. */
export const MOST_WAITING: number = 64 * 1024 * 1024;

/** When to try again, ms: the log takes up much within a second, unless the disk stands still. */
const RETRY_MS = 1000;

/** Ends the connection: the rest of the body is not read. */
const CLOSE = { connection: 'close' } as const;

/** The bound of an API. */
export interface LoadOptions {
  /** Most bytes that may be waiting; one body is taken in whatever its size. */
  readonly most: number;
  /** A request is turned away. */
  refused(): void;
}

/** Turns requests with a body away, before it is read, while too much waits already: the log may be slow or stand still. */
export function addLoadLimit(app: FastifyInstance, { most, refused }: LoadOptions): void {
  const budget = new BodyBudget(most);
  app.decorateRequest('share', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const bytes = announced(request);
    if (bytes === undefined) return done();
    const share = budget.admit(bytes);
    if (!share) {
      refused();
      throw unavailable('Too much waits to be stored already.', RETRY_MS);
    }
    reply.raw.once('close', () => share.end());
    request.share = share;
    return done();
  });
}

/** Bytes of the body by the headers of a request, 0 when they do not tell; undefined when it has none. */
function announced({ headers }: FastifyRequest): number | undefined {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (coding !== undefined) return 0;
  return length === undefined || length === '0' ? undefined : Number(length);
}

/**
 * Reads the body of a request, as a content type parser does: called once per request with a body. Calls back with `Problem` 413
 * when it has more than `limit` bytes, 503 when it has to make room for others, 400 when it breaks off.
 */
export function readBody(
  { share, headers }: FastifyRequest,
  payload: Readable,
  limit: number,
  done: (problem: Problem | null, body?: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const end = (problem: Problem | null, body?: Buffer): void => {
    payload.off('data', take).off('end', finish).off('error', breakOff).off('close', breakOff);
    done(problem, body);
  };
  const take = (chunk: Buffer): void => {
    size += chunk.byteLength;
    if (size > limit) end(tooLarge(limit));
    else if (share?.arrive(chunk.byteLength) ?? true) chunks.push(chunk);
  };
  const finish = (): void => {
    share?.complete();
    end(null, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size));
  };
  const breakOff = (): void => end(new Problem(400, 'The body of the request broke off.'));
  if (Number(headers['content-length'] ?? 0) > limit) return void done(tooLarge(limit));
  if (share?.hasEnded) return void done(evicted());
  if (share) share.onEvicted = () => end(evicted());
  payload.on('data', take).once('end', finish).once('error', breakOff).once('close', breakOff);
}

const tooLarge = (limit: number): Problem =>
  new Problem(413, `Expected a body of at most ${limit} bytes.`, { headers: CLOSE });

const evicted = (): Problem =>
  new Problem(503, 'Too many bodies arrive at a time: this one had to make room, as it took the longest.', {
    headers: { ...retryAfter(RETRY_MS), ...CLOSE },
  });

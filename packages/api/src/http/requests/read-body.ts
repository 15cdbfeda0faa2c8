import type { Readable } from 'node:stream';
import { GatheredBytes } from '@magpie/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem, retryAfter, unavailable } from '../problems/problem.ts';
import { BodyBudget, type Share } from './body-budget.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body's share of the budget for waiting bodies; undefined without a body. */
    share: Share | undefined;
  }
}

/** Total size of bodies on their way into the log, over all requests, bytes. */
export const MOST_WAITING: number = 64 * 1024 * 1024;

/** Value of `retry-after`, ms: the log writes much within a second unless the disk is stuck. */
const RETRY_MS = 1000;

/** Ends the connection: the rest of the body is not read. */
const CLOSE = { connection: 'close' } as const;

/** The load limit of an API. */
export interface LoadOptions {
  /** Maximum total of waiting bytes; a single body may exceed it. */
  readonly most: number;
  /** Called for each refused request. */
  refused(): void;
}

/**
 * Refuses requests with a body, before it is read, while too much is waiting to be stored, for example because the disk
 * is slow.
 */
export function addLoadLimit(app: FastifyInstance, { most, refused }: LoadOptions): void {
  const budget = new BodyBudget(most);
  app.decorateRequest('share', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const bytes = announced(request);
    if (bytes === undefined) return done();
    const share = budget.admit(bytes);
    if (!share) {
      refused();
      throw unavailable('Too much is waiting to be stored: try again as Retry-After says.', RETRY_MS);
    }
    reply.raw.once('close', () => share.end());
    request.share = share;
    return done();
  });
}

/** Size of the body according to the headers, 0 when they do not say; undefined without a body. */
function announced({ headers }: FastifyRequest): number | undefined {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (coding !== undefined) return 0;
  return length === undefined || length === '0' ? undefined : Number(length);
}

/**
 * Reads the body of a request, as a content type parser does: called once per request with a body. Calls back with
 * `Problem` 413 for more than `limit` bytes, 503 when it was evicted, 400 when it breaks off.
 */
export function readBody(
  { share, headers }: FastifyRequest,
  payload: Readable,
  limit: number,
  done: (problem: Problem | null, body?: Buffer) => void,
): void {
  const announcedBytes = Number(headers['content-length'] ?? 0);
  const bytes = new GatheredBytes(announcedBytes > 0 ? announcedBytes : limit);
  const end = (problem: Problem | null, body?: Buffer): void => {
    payload.off('data', take).off('end', finish).off('error', breakOff).off('close', breakOff);
    done(problem, body);
  };
  const take = (chunk: Buffer): void => {
    if (bytes.length + chunk.byteLength > limit) end(tooLarge(limit));
    else if (share?.arrive(chunk.byteLength) ?? true) bytes.add(chunk);
  };
  const finish = (): void => {
    share?.complete();
    end(null, bytes.take());
  };
  const breakOff = (): void => end(new Problem(400, 'Expected a complete body, but the connection ended before it.'));
  if (announcedBytes > limit) return void done(tooLarge(limit));
  if (share?.hasEnded) return void done(evicted());
  if (share) share.onEvicted = () => end(evicted());
  payload.on('data', take).once('end', finish).once('error', breakOff).once('close', breakOff);
}

const tooLarge = (limit: number): Problem =>
  new Problem(413, `Expected a body of at most ${limit} bytes.`, { headers: CLOSE });

const evicted = (): Problem =>
  new Problem(
    503,
    'Too many request bodies are arriving at once, and this one took longest: try again as Retry-After says.',
    {
      headers: { ...retryAfter(RETRY_MS), ...CLOSE },
    },
  );

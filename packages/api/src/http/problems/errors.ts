import type { Socket } from 'node:net';
import type { Logger } from '@magpie/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PROBLEM_TYPE, Problem, problemJson, toProblem } from './problem.ts';

/** Statuses of the 5xx class that are not faults of the gateway; they carry `retry-after`. */
const EXPECTED: ReadonlySet<number> = new Set([503, 507]);

/**
 * Writes any error as problem details. Called by the framework for every error thrown in hooks, parsers and handlers.
 */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const problem = toProblem(error);
  if (problem.status >= 500 && !EXPECTED.has(problem.status)) {
    logger.error({ requestId: request.id, error: String(error) }, 'a request failed');
  }
  void reply
    .code(problem.status)
    .headers(problem.headers)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(problemJson(problem, request.id)));
}

/**
 * Makes every error response a problem document, including unknown paths, and adds the request id to every response.
 */
export function addErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, logger));
  app.setNotFoundHandler((request) => {
    throw new Problem(404, `There is nothing at ${request.method} ${request.url.split('?')[0]}.`);
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
}

const STATUS_OF: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** A client that speaks no TLS, or an unknown version of it, can read no answer. */
const isHandshake = ({ code = '' }: { readonly code?: string }): boolean => /^ERR_(SSL|TLS)_/.test(code);

/** Time a client has to read a refusal before its socket is cut, ms. */
const GRACE_MS = 1000;

/**
 * Answers bytes that are not an HTTP request, or not a complete one in time, and closes the socket. Called by the
 * server before there is a request; the socket may be gone.
 */
export function refuseBytes(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || socket.destroyed || isHandshake(error)) return void socket.destroy();
  const status = STATUS_OF[error.code ?? ''] ?? 400;
  const problem = new Problem(status, 'Expected a complete HTTP request, got other bytes.');
  const body = JSON.stringify(problemJson(problem));
  socket.end(
    `HTTP/1.1 ${status} ${problem.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  // The socket stays half open until the client closes its side, which it may never do.
  setTimeout(() => socket.destroy(), GRACE_MS).unref();
}

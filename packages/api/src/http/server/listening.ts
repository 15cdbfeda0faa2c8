import { isLoopback } from '@magpie/contract';
import type { FastifyInstance } from 'fastify';

/** The API cannot listen on its configured address. The message says where, why and what to do. */
export class ListenFailed extends Error {
  override readonly name = 'ListenFailed';
}

/** Where an API listens and whether it requires keys. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  readonly keys: readonly unknown[];
  readonly tls?: unknown;
}

/**
 * Opens the port and resolves to the URL. Called once, before anything else of the gateway starts. Rejects with
 * `ListenFailed` when the port is taken or not permitted, the host is not an address of this machine, or it is beyond
 * loopback without keys.
 */
export async function listenOn(app: FastifyInstance, { host, port, keys, tls }: Listening): Promise<string> {
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (keys.length === 0 && !isLoopback(host)) {
    throw new ListenFailed(`refusing to listen on ${place} without keys: add http.keys or listen on 127.0.0.1`);
  }
  try {
    const url = await app.listen({ host, port });
    return tls === undefined ? url : url.replace(/^http:/, 'https:');
  } catch (error) {
    const remedy = error instanceof Error && 'code' in error ? REMEDIES[String(error.code)] : undefined;
    if (remedy === undefined) throw error;
    throw new ListenFailed(`cannot listen on ${place}: ${remedy}`, { cause: error });
  }
}

/** Cause and remedy in words, by error code of the system. */
const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process uses that port; stop it, or set http.port to another one (0 takes a free one)',
  EACCES: 'this user may not use that port; set http.port to one above 1023',
  EADDRNOTAVAIL: 'that is not an address of this machine; set http.host to one, for example 127.0.0.1',
  ENOTFOUND: 'that host name is unknown; set http.host to an address of this machine, for example 127.0.0.1',
  EAI_AGAIN: 'that host name is unknown; set http.host to an address of this machine, for example 127.0.0.1',
};

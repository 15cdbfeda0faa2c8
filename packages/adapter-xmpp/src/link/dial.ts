import dns from 'node:dns/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { onAbort, type TlsOptions } from '@magpie/adapter-kit';
import { NotConnected } from '@magpie/contract';

/** One server endpoint. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** `xmpps`: TLS from the first byte; else STARTTLS. */
  readonly direct: boolean;
}

/** The endpoint of a URL, or those of the domain's SRV records (XEP-0368, RFC 6120 §3.2.1), best first. */
export async function findEndpoints(url: string | undefined, domain: string): Promise<readonly Endpoint[]> {
  if (url !== undefined) return [endpointOf(new URL(url))];
  const [direct, starttls] = await Promise.all([
    lookup(`_xmpps-client._tcp.${domain}`, true),
    lookup(`_xmpp-client._tcp.${domain}`, false),
  ]);
  const found = [...direct, ...starttls].sort((a, b) => a.priority - b.priority || b.rank - a.rank);
  return found.length > 0 ? found : [{ host: domain, port: 5222, direct: false }];
}

function endpointOf(url: URL): Endpoint {
  const direct = url.protocol === 'xmpps:';
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || (direct ? 5223 : 5222), direct };
}

async function lookup(name: string, direct: boolean): Promise<(Endpoint & { priority: number; rank: number })[]> {
  try {
    const records = await dns.resolveSrv(name);
    return records
      .filter((record) => record.name !== '' && record.name !== '.')
      .map(({ name: host, port, priority, weight }) => ({
        host,
        port,
        direct,
        priority,
        rank: Math.random() * (weight + 1),
      }));
  } catch {
    return []; // No SRV record or no resolver: the domain itself is tried, and its failure is reported.
  }
}

/** Connects to the first endpoint that answers. Rejects with the error of the last one, or as soon as the signal fires. */
export async function dial(endpoints: readonly Endpoint[], tls: TlsOptions, signal: AbortSignal): Promise<Socket> {
  let failure: unknown = new NotConnected('no server address to connect to');
  for (const endpoint of endpoints) {
    try {
      return await dialOne(endpoint, tls, signal);
    } catch (error) {
      failure = error;
      if (signal.aborted) break;
    }
  }
  throw failure;
}

function dialOne({ host, port, direct }: Endpoint, tls: TlsOptions, signal: AbortSignal): Promise<Socket> {
  if (!direct) return ready(connectTcp({ host, port }), 'connect', signal);
  const options = { ...tls, host, port, ALPNProtocols: ['xmpp-client'] };
  return ready(markSecure(connectTls(options)), 'secureConnect', signal);
}

/** Speaks TLS on a socket after STARTTLS. */
export const upgrade = (socket: Socket, tls: TlsOptions, signal: AbortSignal): Promise<Socket> =>
  ready(markSecure(connectTls({ ...tls, socket })), 'secureConnect', signal);

/** The library recognises a secure socket by this property. */
const markSecure = (socket: TLSSocket): TLSSocket => Object.assign(socket, { secure: true });

function ready(socket: Socket, event: string, signal: AbortSignal): Promise<Socket> {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 15_000);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const fail = (error: unknown): void => {
    socket.destroy();
    reject(error instanceof Error ? error : new NotConnected('the socket closed before it was ready'));
  };
  const closed = (): void => fail(new NotConnected('the server closed the socket before it was ready'));
  socket
    .once(event, () => resolve(socket))
    .once('error', fail)
    .once('close', closed);
  const stop = onAbort(signal, () => fail(signal.reason));
  return promise.finally(() => {
    stop();
    socket.off('close', closed);
    // A destroyed socket may still emit an error, which needs a listener.
    socket.off('error', fail).on('error', () => undefined);
  });
}

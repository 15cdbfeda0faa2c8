import { connect as dial, type Server, type Socket } from 'node:net';
import { listen, portOf } from './listen.ts';
import { createFaultyLine, type LineConditions } from './proxy-line.ts';

/** Where a proxy passes its connections on to. */
export interface ProxyTarget {
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
}

/** A TCP proxy on 127.0.0.1 whose network a test can break. It passes bytes only, so TLS goes through it unchanged. */
export interface TcpProxy {
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Returns `url` with this proxy's host and port in place of its own. */
  url(url: string): string;
  /** Delays every byte in both directions by `milliseconds`, in order; 0 takes it back. */
  delay(milliseconds: number): void;
  /** Ends every open connection with a TCP reset on both sides. New ones are welcome. */
  reset(): void;
  /**
   * While on, nothing passes in either direction and no connection closes, as when a cable is pulled: both sides keep
   * believing in it. Switched off, what was held back passes in order.
   */
  blackHole(on: boolean): void;
  /** Sends `bytes` to whoever is connected, as if the target had sent them. */
  inject(bytes: Uint8Array): void;
  /** While on, new connections are refused (ECONNREFUSED); open ones stay. Resolves when it is so. */
  refuse(on: boolean): Promise<void>;
  /** Resets every connection and stops listening. */
  close(): Promise<void>;
}

/** Starts a {@link TcpProxy} to `target`, which may be down: then each connection is reset, as by a broker that just went. */
export async function tcpProxy(target: ProxyTarget): Promise<TcpProxy> {
  const conditions: LineConditions = { delay: 0, held: false };
  const pairs = new Set<{ reset: () => void; release: () => void; inject: (bytes: Uint8Array) => void }>();
  const count = { accepted: 0 };
  const accept = (client: Socket) => {
    count.accepted += 1;
    const pair = join(client, target, conditions, () => pairs.delete(pair));
    pairs.add(pair);
  };
  let server: Server | undefined = await listen(0, accept);
  const port = portOf(server);
  const stopListening = () => {
    // Stops listening at once; only its callback, which is not used, would wait for open connections.
    server?.close();
    server = undefined;
  };
  const reset = () => {
    for (const pair of [...pairs]) pair.reset();
  };
  return {
    port,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return count.accepted;
    },
    url: (url) => withPort(url, port),
    delay: (milliseconds) => {
      conditions.delay = milliseconds;
    },
    reset,
    blackHole: (on) => {
      conditions.held = on;
      for (const pair of pairs) pair.release();
    },
    inject: (bytes) => {
      for (const pair of pairs) pair.inject(bytes);
    },
    refuse: async (on) => {
      if (on) stopListening();
      else server ??= await listen(port, accept);
    },
    close: async () => {
      stopListening();
      reset();
    },
  };
}

/** Connects `client` with the target by two lines, one per direction. */
function join(client: Socket, target: ProxyTarget, conditions: LineConditions, onGone: () => void) {
  const upstream = dial({ host: '127.0.0.1', allowHalfOpen: true, noDelay: true, ...target });
  const lines = [createFaultyLine(client, upstream, conditions), createFaultyLine(upstream, client, conditions)];
  const reset = () => {
    for (const line of lines) line.stop();
    client.resetAndDestroy();
    // A socket that has not connected yet has nothing to reset.
    if (upstream.connecting) upstream.destroy();
    else upstream.resetAndDestroy();
    onGone();
  };
  const gone = () => {
    if (client.destroyed && upstream.destroyed) onGone();
  };
  for (const socket of [client, upstream]) {
    socket.on('error', reset);
    socket.on('close', gone);
  }
  return {
    reset,
    release: () => lines.forEach((line) => void line.release()),
    inject: (bytes: Uint8Array) => void client.write(bytes),
  };
}

function withPort(url: string, port: number): string {
  const parsed = new URL(url);
  parsed.hostname = '127.0.0.1';
  parsed.port = String(port);
  return parsed.href;
}

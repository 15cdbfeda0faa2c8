import type { Server, Socket } from 'node:net';
import { listen, portOf } from './listen.ts';

/** One accepted connection as its script sees it. */
export interface Peer {
  /** 0 for the server's first connection, 1 for the next. */
  readonly index: number;
  /**
   * Waits until what was received contains `pattern`, and takes everything up to its end out of the buffer.
   * A regular expression sees the bytes as latin1, so `\x00` to `\xff` match single bytes.
   * @param timeout milliseconds, default 5,000.
   * @returns the bytes taken.
   * @throws Error showing what came instead, when the time is over or the connection ended.
   */
  expect(pattern: Uint8Array | string | RegExp, timeout?: number): Promise<Buffer>;
  /** Sends bytes, or text as UTF-8. */
  send(data: Uint8Array | string): void;
  /** Reads nothing more of what the client sends. */
  pause(): void;
  /** Closes our side in order (FIN). */
  end(): void;
  /** Aborts the connection (RST). */
  reset(): void;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
}

/** A TCP server on 127.0.0.1 that plays a script, for failures no real broker produces on demand. */
export interface ScriptedServer {
  readonly port: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /**
   * Resets what is open and stops listening.
   * @throws Error the first script failed with, so that a script that never got what it expected fails the test.
   */
  close(): Promise<void>;
}

/**
 * Starts a {@link ScriptedServer}. `script` runs once per connection; when it throws, the connection is reset and
 * `close()` reports it. A script that returns leaves its connection open.
 */
export async function scriptedServer(script: (peer: Peer) => Promise<void>): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  const failures: unknown[] = [];
  let accepted = 0;
  let closing = false;
  const play = async (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const index = accepted;
    accepted += 1;
    try {
      await script(createPeer(socket, index));
    } catch (error) {
      // What a script was still waiting for when the test closed the server is no failure.
      if (!closing) failures.push(error);
      socket.resetAndDestroy();
    }
  };
  const server: Server = await listen(0, (socket) => void play(socket));
  return {
    port: portOf(server),
    get accepted() {
      return accepted;
    },
    close: async () => {
      closing = true;
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      if (failures.length > 0) throw failures[0];
    },
  };
}

function createPeer(socket: Socket, index: number): Peer {
  let buffer = Buffer.alloc(0);
  let wake: () => void = () => undefined;
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    wake();
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  // The script learns of a broken connection from `expect`; without a listener an error would end the process.
  socket.on('error', () => wake());
  socket.on('end', () => wake());
  socket.on('close', () => wake());
  const take = (end: number): Buffer => {
    const taken = buffer.subarray(0, end);
    buffer = buffer.subarray(end);
    return taken;
  };
  return {
    index,
    closed,
    expect: (pattern, timeout = 5000) =>
      new Promise((resolve, reject) => {
        const fail = (why: string) => finish(() => reject(new Error(unmet(pattern, index, why, buffer))));
        const finish = (settle: () => void) => {
          clearTimeout(timer);
          wake = () => undefined;
          settle();
        };
        const timer = setTimeout(() => fail(`nothing matched within ${timeout} ms`), timeout);
        wake = () => {
          const end = endOfMatch(buffer, pattern);
          if (end !== undefined) finish(() => resolve(take(end)));
          else if (socket.destroyed || socket.readableEnded) fail('the client closed the connection');
        };
        wake();
      }),
    send: (data) => void socket.write(data),
    pause: () => void socket.pause(),
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  };
}

function endOfMatch(buffer: Buffer, pattern: Uint8Array | string | RegExp): number | undefined {
  if (pattern instanceof RegExp) {
    const match = pattern.exec(buffer.toString('latin1'));
    return match === null ? undefined : match.index + match[0].length;
  }
  const bytes = Buffer.from(pattern);
  const start = buffer.indexOf(bytes);
  return start === -1 ? undefined : start + bytes.length;
}

function unmet(pattern: Uint8Array | string | RegExp, index: number, why: string, buffer: Buffer): string {
  const wanted = pattern instanceof Uint8Array ? `bytes ${Buffer.from(pattern).toString('hex')}` : String(pattern);
  const got = buffer.length === 0 ? 'nothing' : `${buffer.length} bytes: ${printable(buffer.subarray(0, 400))}`;
  return `Connection ${index} expected ${wanted}, but ${why}. Received and not yet taken: ${got}.`;
}

/** Printable ASCII as it is, other bytes as `\xhh`. */
function printable(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

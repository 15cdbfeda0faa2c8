import type { Writable } from 'node:stream';

/** What of the library's connection is used: its socket. */
interface SocketOwner {
  readonly connection: unknown;
}

/**
 * Makes one system call of all that the library writes in one turn of the event loop: it writes each message by itself.
 * Called once per link, when it is open.
 */
export function coalesceWrites({ connection }: SocketOwner): void {
  const stream = streamOf(connection);
  if (!stream) return;
  const write = stream.write;
  let corked = false;
  const uncork = (): void => {
    corked = false;
    stream.uncork();
  };
  stream.write = (...args: readonly unknown[]): boolean => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(uncork);
    }
    return Reflect.apply(write, stream, args);
  };
}

/** The socket is no part of the library's types: without it everything works as before, one call per message. */
function streamOf(connection: unknown): Writable | undefined {
  const stream: unknown = typeof connection === 'object' && connection ? Reflect.get(connection, 'stream') : undefined;
  return isWritable(stream) ? stream : undefined;
}

const isWritable = (stream: unknown): stream is Writable =>
  typeof stream === 'object' && stream !== null && 'cork' in stream && 'write' in stream;

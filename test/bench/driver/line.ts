import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A raw socket whose reads share one buffer: what `read` gets is only valid during the call. */
export interface Line {
  write(bytes: Buffer | string): void;
  close(): void;
}

/** Bytes of one read. */
const READ_BYTES = 256 * 1024;
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/** Connects to a port of this machine. `closed` is called when the line ends without {@link Line.close}. */
export async function openLine(
  port: number,
  read: (bytes: Buffer) => void,
  closed: (error: Error) => void,
): Promise<Line> {
  let wanted = true;
  const end = (why: string): void => {
    if (!wanted) return;
    wanted = false;
    closed(new Error(why));
  };
  const socket: Socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: shared,
      callback: (count) => {
        try {
          read(shared.subarray(0, count));
        } catch (error) {
          end(
            `what came from port ${port} could not be read: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
        return true;
      },
    },
  });
  await once(socket, 'connect');
  socket.on('error', (error) => end(`the connection to port ${port} broke: ${error.message}`));
  socket.on('close', () => end(`the other side closed the connection to port ${port}`));
  return {
    write: (bytes) => void socket.write(bytes),
    close: () => {
      wanted = false;
      socket.destroy();
    },
  };
}

/**
 * Cuts a stream into messages. `take` is called with all bytes not yet taken and returns how many it has; the rest comes again
 * with the next bytes.
 */
export function framed(take: (bytes: Buffer) => number): (bytes: Buffer) => void {
  let rest: Buffer | undefined;
  return (bytes) => {
    const all = rest === undefined ? bytes : Buffer.concat([rest, bytes]);
    const taken = take(all);
    // A copy: the buffer that was read into is used again.
    rest = taken === all.length ? undefined : Buffer.from(all.subarray(taken));
  };
}

import type { Writable } from 'node:stream';

/**
 * Writes parts to a socket with as few calls as possible. @returns whether it accepts more now; otherwise it emits
 * `drain` later.
 */
export function writeAll(socket: Writable, parts: readonly Uint8Array[]): boolean {
  if (parts.length === 1) return socket.write(parts[0]!);
  socket.cork();
  let more = true;
  for (const part of parts) more = socket.write(part);
  socket.uncork();
  return more;
}

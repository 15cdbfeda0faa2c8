import { HEADER_LIMITS, type ReceivedEvent } from '@magpie/contract';

/** Why an event cannot enter the log as it is, as a sentence; undefined when it can. */
export function problemOf(received: ReceivedEvent, maxBodyBytes: number): string | undefined {
  const size = received.body.byteLength;
  if (size > maxBodyBytes) return `a body of ${size} bytes, more than the limit of ${maxBodyBytes}`;
  const { headers } = received;
  if (headers.length === 0) return undefined;
  if (headers.length > HEADER_LIMITS.count) {
    return `${headers.length} headers, more than the limit of ${HEADER_LIMITS.count}`;
  }
  const bytes = headers.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + headerBytes(value), 0);
  return bytes > HEADER_LIMITS.bytes
    ? `headers of ${bytes} bytes, more than the limit of ${HEADER_LIMITS.bytes}`
    : undefined;
}

function headerBytes(value: ReceivedEvent['headers'][number][1]): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.byteLength;
  if (value === null || typeof value !== 'object') return 8;
  const inner = Array.isArray(value) ? value : Object.entries(value).flat();
  return inner.reduce((sum: number, part) => sum + headerBytes(part), 8);
}

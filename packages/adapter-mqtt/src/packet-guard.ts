/**
 * Follows the framing of incoming bytes and reports a packet larger than `limit` as soon as its length is known, before
 * anything buffers it. Called per chunk.
 * @param exceeded Called once with the packet's length in bytes.
 */
export function packetGuard(limit: number, exceeded: (bytes: number) => void): (chunk: Uint8Array) => void {
  let skip = 0;
  let header = 0;
  let length = 0;
  let done = false;
  const headerByte = (byte: number): void => {
    // Fixed header: one type byte, then up to four length bytes of seven bits each (MQTT 5 section 1.5.5).
    if (header > 0) length += (byte & 0x7f) * 128 ** (header - 1);
    header++;
    if (header < 2 || (byte >= 0x80 && header < 5)) return;
    if (header + length > limit) {
      done = true;
      exceeded(header + length);
    }
    [skip, header, length] = [length, 0, 0];
  };
  return (chunk) => {
    for (let at = 0; at < chunk.length && !done; ) {
      const step = Math.min(skip, chunk.length - at);
      skip -= step;
      at += step;
      if (at < chunk.length && skip === 0) headerByte(chunk[at++]!);
    }
  };
}

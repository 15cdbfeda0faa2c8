import { isUtf8 } from 'node:buffer';
import { Cursor, Malformed } from '@magpie/adapter-kit';

/** Reads the fields of one packet (MQTT 5 section 1.5). */
export class PacketCursor extends Cursor {
  constructor() {
    super('packet');
  }

  /** A variable byte integer of one to four bytes. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed('a length of more than four bytes');
  }

  /** A text with its length in front. */
  string(): string {
    return this.text(this.uint16());
  }

  /** Like `string`, for recurring texts. */
  frequentString(): string {
    return this.frequentText(this.uint16());
  }

  /** A topic to route by: exactly what was published, or nothing. */
  topic(): string {
    const from = this.at + 2;
    const topic = this.frequentString();
    if (topic.includes('\ufffd') && !isUtf8(this.bytes.subarray(from, this.at))) {
      throw new Malformed('a topic that is not UTF-8 [MQTT-1.5.4-1]');
    }
    if (topic.includes('\0')) throw new Malformed('a topic with a NUL character [MQTT-1.5.4-2]');
    return topic;
  }

  /** A copy of a field of bytes. */
  binary(): Buffer {
    const length = this.uint16();
    const from = this.skip(length);
    return Buffer.from(this.bytes.subarray(from, from + length));
  }
}

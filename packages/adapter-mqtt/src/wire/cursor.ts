import { isUtf8 } from 'node:buffer';
import { TextCache } from '@magpie/contract';

/** A packet that breaks the protocol. The message says how, as the end of a sentence about the broker. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

const NOTHING = Buffer.alloc(0);

/** Reads the fields of one packet (MQTT 5 section 1.5). Every read throws `Malformed` instead of leaving the packet. */
export class Cursor {
  bytes: Buffer = NOTHING;
  at = 0;
  end = 0;
  readonly #frequent = new TextCache();

  /** Starts over with the bytes of another packet, from `at` to before `end`. */
  reset(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    return this.bytes[this.#take(1)]!;
  }

  uint16(): number {
    const at = this.#take(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.#take(4));
  }

  /** A number of one to four bytes of seven bits each. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed('a length of more than four bytes');
  }

  /** Any text. What is no UTF-8 in it becomes U+FFFD: it is the sender's fault, and would end every link it is sent on. */
  text(): string {
    const length = this.uint16();
    const from = this.#take(length);
    return length === 0 ? '' : this.bytes.toString('utf8', from, from + length);
  }

  /** As `text`, for what comes again and again. */
  frequentText(): string {
    const length = this.uint16();
    const from = this.#take(length);
    return this.#frequent.read(this.bytes, from, from + length);
  }

  /** A topic to route by: exactly what was published, or nothing. */
  topic(): string {
    const from = this.at + 2;
    const topic = this.frequentText();
    if (topic.includes('\ufffd') && !isUtf8(this.bytes.subarray(from, this.at))) {
      throw new Malformed('a topic that is not UTF-8 [MQTT-1.5.4-1]');
    }
    if (topic.includes('\0')) throw new Malformed('a topic with a NUL character [MQTT-1.5.4-2]');
    return topic;
  }

  /** A copy of a field of bytes. */
  binary(): Buffer {
    const length = this.uint16();
    const from = this.#take(length);
    return Buffer.from(this.bytes.subarray(from, from + length));
  }

  #take(count: number): number {
    const { at } = this;
    if (at + count > this.end) throw new Malformed('a packet that ends inside a field');
    this.at = at + count;
    return at;
  }
}

/** Thrown when the buffer is full; the attempt is discarded. */
export const FULL = new Error('the buffer of a writer is full');

/** Texts up to this length are copied character by character, which is faster than a call out of the engine. */
const SHORT = 64;
const TWO_32 = 0x1_0000_0000;

/**
 * Writes AMQP 0-9-1 data types (section 4.2.5) one after another. Every write throws `FULL` at the end of the buffer.
 */
export class Writer {
  bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  byte(value: number): void {
    if (this.at >= this.bytes.length) throw FULL;
    this.bytes[this.at++] = value;
  }

  uint16(value: number): void {
    this.room(2);
    this.putUint16(this.at, value);
    this.at += 2;
  }

  uint32(value: number): void {
    this.room(4);
    this.putUint32(this.at, value);
    this.at += 4;
  }

  /** An integer of 64 bits, signed or not, of at most 53. */
  int64(value: number): void {
    this.room(8);
    this.putUint32(this.at, Math.floor(value / TWO_32));
    this.putUint32(this.at + 4, value);
    this.at += 8;
  }

  double(value: number): void {
    this.room(8);
    this.at = this.bytes.writeDoubleBE(value, this.at);
  }

  /** A text of at most 255 bytes, checked by the caller. */
  shortText(text: string): void {
    this.room(1 + text.length);
    const from = this.at + 1;
    this.#text(text, from);
    this.bytes[from - 1] = this.at - from;
  }

  /** A text of one part or two. */
  longText(text: string, more = ''): void {
    this.room(4 + text.length);
    const from = this.at + 4;
    this.#text(text, from);
    if (more !== '') {
      this.room(more.length);
      this.#text(more, this.at);
    }
    this.putUint32(from - 4, this.at - from);
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Starts a value that is preceded by its length in bytes. @returns the argument for `close`. */
  open(): number {
    this.room(4);
    this.at += 4;
    return this.at;
  }

  /** Ends it. */
  close(from: number): void {
    this.putUint32(from - 4, this.at - from);
  }

  /** Overwrites two bytes that were written before. */
  putUint16(at: number, value: number): void {
    this.bytes[at] = value >> 8;
    this.bytes[at + 1] = value;
  }

  /** Overwrites four bytes. Takes negative numbers as two's complement. */
  putUint32(at: number, value: number): void {
    const { bytes } = this;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  /** Ensures room for `bytes` bytes. */
  room(bytes: number): void {
    if (this.at + bytes > this.bytes.length) throw FULL;
  }

  /** Writes UTF-8 from `from`, with room for one byte per unit, and moves there. */
  #text(text: string, from: number): void {
    const { length } = text;
    const { bytes } = this;
    if (length <= SHORT) {
      let index = 0;
      for (; index < length; index++) {
        const code = text.charCodeAt(index);
        if (code >= 0x80) break;
        bytes[from + index] = code;
      }
      if (index === length) {
        this.at = from + length;
        return;
      }
    }
    // A UTF-16 unit takes three bytes at most. Lone surrogates become U+FFFD.
    if (from + 3 * length > bytes.length && from + Buffer.byteLength(text) > bytes.length) throw FULL;
    this.at = from + bytes.write(text, from, 'utf8');
  }
}

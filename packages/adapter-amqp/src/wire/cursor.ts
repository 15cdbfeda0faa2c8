import { TextCache } from '@magpie/contract';

/** A frame that breaks the protocol. The message says how, as the end of a sentence about the broker. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

const NOTHING = Buffer.alloc(0);
const TWO_32 = 0x1_0000_0000;

/** Reads the fields of one frame (AMQP 0-9-1, 4.2.5). Every read throws `Malformed` instead of leaving the frame. */
export class Cursor {
  bytes: Buffer = NOTHING;
  at = 0;
  end = 0;
  readonly #frequent = new TextCache();

  /** Starts over with the bytes of another frame, from `at` to before `end`. */
  reset(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    return this.bytes[this.skip(1)]!;
  }

  int8(): number {
    return (this.byte() << 24) >> 24;
  }

  uint16(): number {
    const at = this.skip(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  int32(): number {
    const at = this.skip(4);
    const { bytes } = this;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  /** An unsigned integer of 64 bits, rounded beyond 2^53. */
  uint64(): number {
    return this.uint32() * TWO_32 + this.uint32();
  }

  /** A signed one. */
  int64(): number {
    return this.int32() * TWO_32 + this.uint32();
  }

  float(): number {
    return this.bytes.readFloatBE(this.skip(4));
  }

  double(): number {
    return this.bytes.readDoubleBE(this.skip(8));
  }

  /** Any text of up to 255 bytes. What is no UTF-8 in it becomes U+FFFD. */
  shortText(): string {
    return this.#text(this.byte());
  }

  /** As `shortText`, for what comes again and again. */
  frequentText(): string {
    const length = this.byte();
    const from = this.skip(length);
    return length === 0 ? '' : this.#frequent.read(this.bytes, from, from + length);
  }

  longText(): string {
    return this.#text(this.uint32());
  }

  /** Passes over so many bytes. @returns where they begin. */
  skip(count: number): number {
    const { at } = this;
    if (at + count > this.end) throw new Malformed('a frame that ends inside a field');
    this.at = at + count;
    return at;
  }

  #text(length: number): string {
    const from = this.skip(length);
    return length === 0 ? '' : this.bytes.toString('utf8', from, from + length);
  }
}

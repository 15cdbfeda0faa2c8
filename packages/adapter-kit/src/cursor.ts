import { TextCache } from './text-cache.ts';

/** Received bytes that violate the protocol. The message completes the sentence "the peer sent …". */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

const NOTHING = Buffer.alloc(0);

/**
 * Reads big-endian fields in sequence. Every read throws `Malformed` instead of passing the end of its bytes. Protocols
 * extend it with their own fields. One per link, reused for every packet or frame.
 */
export class Cursor {
  bytes: Buffer = NOTHING;
  at = 0;
  end = 0;
  readonly #unit: string;
  readonly #frequent = new TextCache();

  /** @param unit name of the unit for the message of `Malformed`: `packet`, `frame`. */
  constructor(unit: string) {
    this.#unit = unit;
  }

  /** Starts over with the bytes from `at` to before `end`. */
  reset(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Number of unread bytes. */
  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    return this.bytes[this.skip(1)]!;
  }

  uint16(): number {
    const at = this.skip(2);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  int32(): number {
    const at = this.skip(4);
    const { bytes } = this;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** A text of `length` bytes. Invalid UTF-8 becomes U+FFFD: a sender's mistake must not end the link. */
  text(length: number): string {
    const from = this.skip(length);
    return length === 0 ? '' : this.bytes.toString('utf8', from, from + length);
  }

  /** Like `text`, for texts that recur, such as addresses and header names. */
  frequentText(length: number): string {
    const from = this.skip(length);
    return length === 0 ? '' : this.#frequent.read(this.bytes, from, from + length);
  }

  /** Skips `count` bytes. @returns the offset of the first one. */
  skip(count: number): number {
    const { at } = this;
    if (at + count > this.end) throw new Malformed(`a ${this.#unit} that ends inside a field`);
    this.at = at + count;
    return at;
  }
}

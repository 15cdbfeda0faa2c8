import { TextCache } from './text-cache.ts';

/** Received bytes that break the protocol. The message says how, as the end of a sentence about the other side. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

const NOTHING = Buffer.alloc(0);

/**
 * Reads big-endian fields one after another. Every read throws `Malformed` instead of leaving the bytes it was given. A
 * protocol extends it by the fields of its own. One per link: it is reused for every packet or frame.
 */
export class Cursor {
  bytes: Buffer = NOTHING;
  at = 0;
  end = 0;
  readonly #unit: string;
  readonly #frequent = new TextCache();

  /** @param unit what is read, for the message of `Malformed`: `packet`, `frame`. */
  constructor(unit: string) {
    this.#unit = unit;
  }

  /** Starts over with other bytes, from `at` to before `end`. */
  reset(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** Bytes that are not read yet. */
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

  /** A text of so many bytes. What is no UTF-8 in it becomes U+FFFD: that is the sender's fault, no reason to end the link. */
  text(length: number): string {
    const from = this.skip(length);
    return length === 0 ? '' : this.bytes.toString('utf8', from, from + length);
  }

  /** As `text`, for what comes again and again, such as addresses and names of headers. */
  frequentText(length: number): string {
    const from = this.skip(length);
    return length === 0 ? '' : this.#frequent.read(this.bytes, from, from + length);
  }

  /** Passes over so many bytes. @returns where they begin. */
  skip(count: number): number {
    const { at } = this;
    if (at + count > this.end) throw new Malformed(`a ${this.#unit} that ends inside a field`);
    this.at = at + count;
    return at;
  }
}

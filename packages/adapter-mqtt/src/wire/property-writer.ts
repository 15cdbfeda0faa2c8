import { toMqttText } from '../codec/text.ts';

/** Longest text or binary field of a packet, in bytes (MQTT 5 section 1.5.4). */
export const MAX_FIELD_BYTES = 65_535;

/** Called for a field that is too long; throws. */
export type TooLong = (what: string, bytes: number) => never;

const USER_PROPERTY = 0x26;
/** Texts up to this length are copied character by character, which is faster than a call out of the engine. */
const SHORT = 128;

/** Writes the properties of packets into reused memory, one packet at a time. Texts are encoded by `toMqttText`. */
export class PropertyWriter {
  readonly #tooLong: TooLong;
  #bytes = Buffer.allocUnsafeSlow(16 * 1024);
  #at = 0;

  constructor(tooLong: TooLong) {
    this.#tooLong = tooLong;
  }

  /** Starts a packet. */
  begin(): void {
    this.#at = 0;
  }

  /** Returns a copy of the written bytes. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  byte(id: number, value: number): void {
    this.#room(2);
    this.#bytes[this.#at++] = id;
    this.#bytes[this.#at++] = value;
  }

  uint32(id: number, value: number): void {
    this.#room(5);
    this.#bytes[this.#at++] = id;
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  binary(id: number, what: string, value: Uint8Array): void {
    if (value.length > MAX_FIELD_BYTES) this.#tooLong(what, value.length);
    this.#room(3 + value.length);
    this.#bytes[this.#at++] = id;
    this.#at = this.#bytes.writeUInt16BE(value.length, this.#at);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  text(id: number, what: string, value: string): void {
    this.#room(1);
    this.#bytes[this.#at++] = id;
    this.#field(what, value);
  }

  /** A user property. */
  pair(name: string, value: string): void {
    this.#room(1);
    this.#bytes[this.#at++] = USER_PROPERTY;
    this.#field('a header name', name);
    this.#field('the header', value, name);
  }

  /** A user property of bytes: `base64:…`. */
  bytesPair(name: string, value: Uint8Array): void {
    this.#room(1);
    this.#bytes[this.#at++] = USER_PROPERTY;
    this.#field('a header name', name);
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    this.#long('the header', `base64:${text}`, name);
  }

  #field(what: string, value: string, of?: string): void {
    if (value.length > SHORT || value.startsWith('base64:') || !this.#plain(value)) {
      this.#long(what, toMqttText(value), of);
    }
  }

  /** Writes a short text of printable ASCII, the usual case. @returns false for any other text. */
  #plain(value: string): boolean {
    const { length } = value;
    this.#room(2 + length);
    const bytes = this.#bytes;
    const from = this.#at + 2;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code < 0x20 || code > 0x7e) return false;
      bytes[from + index] = code;
    }
    bytes[this.#at] = 0;
    bytes[this.#at + 1] = length;
    this.#at = from + length;
    return true;
  }

  #long(what: string, value: string, of?: string): void {
    const length = Buffer.byteLength(value);
    if (length > MAX_FIELD_BYTES) this.#tooLong(of === undefined ? what : `${what} "${of.slice(0, 100)}"`, length);
    this.#room(2 + length);
    this.#at = this.#bytes.writeUInt16BE(length, this.#at);
    this.#at += this.#bytes.write(value, this.#at, 'utf8');
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

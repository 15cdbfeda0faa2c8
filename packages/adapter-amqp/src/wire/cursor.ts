import { Cursor } from '@magpie/adapter-kit';

const TWO_32 = 0x1_0000_0000;

/** Reads the fields of one frame (AMQP 0-9-1, 4.2.5). */
export class FrameCursor extends Cursor {
  constructor() {
    super('frame');
  }

  int8(): number {
    return (this.byte() << 24) >> 24;
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
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

  /** Any text of up to 255 bytes. */
  shortText(): string {
    return this.text(this.byte());
  }

  /** Like `shortText`, for recurring texts. */
  frequentShortText(): string {
    return this.frequentText(this.byte());
  }

  longText(): string {
    return this.text(this.uint32());
  }
}

/** Least memory once there are several pieces, bytes. */
const LEAST = 4096;

/**
 * Bytes that arrive in pieces, in memory of at most twice their number: a sender decides how small the pieces are, and a list
 * of a million pieces of one byte takes a hundred megabytes. A single piece is kept as it is, without a copy. One per body,
 * filled by the reader of a socket.
 */
export class GatheredBytes {
  readonly #most: number;
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #isOwn = false;

  /** @param most how many bytes there can be in all, so that no more memory than that is taken. */
  constructor(most: number = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds a piece, which must not change afterwards. */
  add(piece: Buffer): void {
    if (this.#length === 0) {
      this.#bytes = piece;
      this.#isOwn = false;
    } else {
      this.#reserve(this.#length + piece.byteLength);
      piece.copy(this.#bytes, this.#length);
    }
    this.#length += piece.byteLength;
  }

  /** All of them; it is empty afterwards. */
  take(): Buffer {
    const whole = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.alloc(0);
    this.#length = 0;
    return whole;
  }

  #reserve(needed: number): void {
    if (this.#isOwn && needed <= this.#bytes.byteLength) return;
    const wanted = Math.max(needed, Math.min(Math.max(LEAST, this.#length * 2), this.#most));
    const larger = Buffer.allocUnsafeSlow(wanted);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    this.#isOwn = true;
  }
}

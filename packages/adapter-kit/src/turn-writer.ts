import type { Writable } from 'node:stream';
import { writeAll } from './write-all.ts';

/** Memory that is written to from the front; replaced when it is full, and never written over. */
export interface Slab {
  bytes: Buffer;
  /** Where the next byte goes. */
  at: number;
}

/** Who takes part in writing to one socket. */
export interface TurnWriterEvents {
  /** Everything that was written has been given to a socket that takes more. */
  handedOver?(): void;
  /** The socket is about to get what there is: the last chance to add to it. */
  flushing?(): void;
}

/** Bytes of a slab. */
const SLAB = 64 * 1024;
/** Larger parts are handed to the socket as they are instead of being copied, bytes. */
const COPIED = 8 * 1024;
/** This much goes out before the turn has ended, to bound memory, bytes. */
const ENOUGH = 256 * 1024;

/** Whether a part of that many bytes is copied into the slab. */
export const isCopied = (bytes: number): boolean => bytes <= COPIED;

/**
 * Gives a socket everything that is written within one turn of the event loop in one call, because the call is what a small
 * message costs most by. While the socket is blocked, more is kept until it drains. One per socket, which nobody else writes to
 * without calling `flush` before.
 */
export class TurnWriter {
  /** Where the caller writes. */
  readonly slab: Slab;
  readonly #socket: Writable;
  readonly #events: TurnWriterEvents;
  #start = 0;
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #blocked = false;
  #scheduled = false;
  #writes = 0;

  /** @param slab where the caller writes; empty at first. After every write into it follows `schedule`. */
  constructor(socket: Writable, slab: Slab, events: TurnWriterEvents = {}) {
    this.#socket = socket;
    this.slab = slab;
    this.#events = events;
    socket.on('drain', () => this.#drained());
  }

  /** The socket takes nothing now; what is written nevertheless waits for it. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Bytes that wait for the end of the turn, or for the socket. */
  get waiting(): number {
    return this.#partBytes + this.slab.at - this.#start;
  }

  /** How many times the socket was written to, to tell whether it was since the last look. */
  get writes(): number {
    return this.#writes;
  }

  /** Makes room for so many bytes in one piece, at `slab.at`. */
  room(bytes: number): void {
    if (this.slab.at + bytes > this.slab.bytes.length) this.renew(Math.max(SLAB, bytes));
  }

  /** Takes another slab, of so many bytes. */
  renew(bytes: number): void {
    this.#seal();
    this.slab.bytes = Buffer.allocUnsafeSlow(bytes);
    this.slab.at = 0;
    this.#start = 0;
  }

  /** Adds bytes after what is in the slab: as a copy, or when they are many as they are; then nobody may change them. */
  add(bytes: Uint8Array): void {
    if (!isCopied(bytes.length)) {
      this.#seal();
      this.#push(bytes);
      return;
    }
    this.room(bytes.length);
    this.slab.bytes.set(bytes, this.slab.at);
    this.slab.at += bytes.length;
  }

  /** Sees to it that the socket gets what was written, at the end of the turn at the latest unless it is blocked. */
  schedule(): void {
    if (this.waiting >= ENOUGH && !this.#blocked) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#endOfTurn);
    }
  }

  /** Gives the socket all there is, whether it is blocked or not; nothing once it is closed. */
  flush(): void {
    this.#flush();
  }

  readonly #endOfTurn = (): void => {
    this.#scheduled = false;
    if (!this.#blocked) this.#flush();
  };

  #drained(): void {
    this.#blocked = false;
    if (!this.#flush()) this.#events.handedOver?.();
  }

  /** @returns whether there was anything. */
  #flush(): boolean {
    this.#events.flushing?.();
    this.#seal();
    if (this.#parts.length === 0) return false;
    const parts = this.#parts;
    this.#parts = [];
    this.#partBytes = 0;
    // After its end a socket answers a write with an error, which would hide how it ended.
    if (!this.#socket.writable) return true;
    this.#writes++;
    this.#blocked = !writeAll(this.#socket, parts);
    if (!this.#blocked) this.#events.handedOver?.();
    return true;
  }

  #seal(): void {
    const { bytes, at } = this.slab;
    if (at > this.#start) this.#push(bytes.subarray(this.#start, at));
    this.#start = at;
  }

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#partBytes += part.length;
  }
}

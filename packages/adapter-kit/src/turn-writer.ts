import type { Writable } from 'node:stream';
import { writeAll } from './write-all.ts';

/** A buffer that is filled from the front, replaced when full and never overwritten. */
export interface Slab {
  bytes: Buffer;
  /** Where the next byte goes. */
  at: number;
}

/** Callbacks of a writer. */
export interface TurnWriterEvents {
  /** Everything written was handed to the socket, which accepts more. */
  handedOver?(): void;
  /** The writer is about to flush: the last chance to add bytes. */
  flushing?(): void;
}

/** Bytes of a slab. */
const SLAB = 64 * 1024;
/** Larger parts are handed to the socket as they are instead of being copied, bytes. */
const COPIED = 8 * 1024;
/** Buffered bytes that are flushed before the end of the turn, to limit memory. */
const ENOUGH = 256 * 1024;

/** Whether a part of that many bytes is copied into the slab. */
export const isCopied = (bytes: number): boolean => bytes <= COPIED;

/**
 * Writes everything of one turn of the event loop to a socket in one call, because the call is the largest cost of a
 * small message. While the socket is blocked, bytes are kept until it drains. One per socket; other code must call
 * `flush` before writing to it.
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

  /** @param slab where the caller writes; empty at first. Call `schedule` after every write into it. */
  constructor(socket: Writable, slab: Slab, events: TurnWriterEvents = {}) {
    this.#socket = socket;
    this.slab = slab;
    this.#events = events;
    socket.on('drain', () => this.#drained());
  }

  /** Whether the socket accepts nothing now; bytes written meanwhile wait. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Bytes waiting for the end of the turn or for the socket. */
  get waiting(): number {
    return this.#partBytes + this.slab.at - this.#start;
  }

  /** Number of writes to the socket, to see whether anything was written since the last check. */
  get writes(): number {
    return this.#writes;
  }

  /** Makes room for `bytes` contiguous bytes at `slab.at`. */
  room(bytes: number): void {
    if (this.slab.at + bytes > this.slab.bytes.length) this.renew(Math.max(SLAB, bytes));
  }

  /** Replaces the slab by a new one of `bytes` bytes. */
  renew(bytes: number): void {
    this.#seal();
    this.slab.bytes = Buffer.allocUnsafeSlow(bytes);
    this.slab.at = 0;
    this.#start = 0;
  }

  /**
   * Adds bytes after the content of the slab. Small parts are copied; large ones are kept by reference and must not be
   * changed.
   */
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

  /** Schedules a flush for the end of the turn; a blocked socket is flushed when it drains. */
  schedule(): void {
    if (this.waiting >= ENOUGH && !this.#blocked) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#endOfTurn);
    }
  }

  /** Writes everything to the socket, even while it is blocked; does nothing once it is closed. */
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
    // Writing after the end raises an error that would hide why the socket ended.
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

import type { Writable } from 'node:stream';
import { isCopied, TurnWriter } from '@magpie/adapter-kit';
import { FRAME, FRAME_AROUND, METHOD } from './frames.ts';
import { FULL, Writer } from './writer.ts';

/** Writes messages and acknowledgements to a socket; all writes of one turn of the event loop become one call. */
export interface Outgoing {
  /**
   * Writes a message. `write` writes its method and header frame; it may run again, with more memory. Its exceptions
   * are passed on, with nothing written; a `RangeError` means that the frame is too large for any buffer.
   */
  publish(channel: number, write: (writer: Writer) => void, body: Uint8Array): void;
  /** Resolves when the socket accepts more or is closed; undefined while there is room. */
  room(): Promise<void> | undefined;
  /** Acknowledges everything up to a delivery tag; only the last one of a turn is sent. */
  acknowledge(channel: number, upTo: number): void;
  /** Flushes to the socket before the library writes; does nothing once it is closed. */
  flush(): void;
}

/** A slab with less room than this is replaced; most messages fit into it, bytes. */
const ENOUGH_ROOM = 2048;
/** Room for every method and header frame that can be sent, bytes. */
const LARGEST = 160 * 1024;
/** Unsent bytes above which publishes wait. */
const MOST_WAITING = 1024 * 1024;
const ACK_BYTES = 13 + FRAME_AROUND;

/** Makes the one writer of a socket; `frameMax` is the size negotiated with the broker. */
export function createOutgoing(socket: Writable, frameMax: number): Outgoing {
  const writer = new Writer(Buffer.alloc(0));
  const turn = new TurnWriter(socket, writer, {
    flushing: () => writeAcks(),
    handedOver: () => makeRoom(),
  });
  let waiting: PromiseWithResolvers<void> | undefined;
  const makeRoom = (): void => {
    waiting?.resolve();
    waiting = undefined;
  };
  socket.on('close', makeRoom);
  /** The highest tag of each channel that is still to be acknowledged. */
  const acks = new Map<number, number>();

  const writeAcks = (): void => {
    if (acks.size === 0) return;
    for (const [channel, upTo] of acks) {
      turn.room(ACK_BYTES);
      frameHead(writer, FRAME.method, channel, ACK_BYTES - FRAME_AROUND);
      writer.uint32(METHOD.ack);
      writer.int64(upTo);
      writer.byte(1);
      writer.byte(FRAME.end);
    }
    acks.clear();
  };
  /** Runs `write`, and once more with a buffer large enough for any frame. */
  const attempt = (write: (writer: Writer) => void, isLast: boolean): void => {
    const { at } = writer;
    try {
      write(writer);
    } catch (error) {
      writer.at = at;
      if (error !== FULL) throw error;
      if (isLast) throw new RangeError('a frame larger than its buffer', { cause: error });
      turn.renew(LARGEST);
      attempt(write, true);
    }
  };
  const bodyFrames = (channel: number, body: Uint8Array): void => {
    const most = frameMax - FRAME_AROUND;
    for (let at = 0; at < body.length; at += most) {
      const piece = body.length <= most ? body : body.subarray(at, at + most);
      turn.room(FRAME_AROUND + (isCopied(piece.length) ? piece.length : 0));
      frameHead(writer, FRAME.body, channel, piece.length);
      turn.add(piece);
      turn.room(1);
      writer.byte(FRAME.end);
    }
  };
  return {
    publish(channel, write, body) {
      turn.room(ENOUGH_ROOM);
      attempt(write, false);
      bodyFrames(channel, body);
      turn.schedule();
    },
    room() {
      if (!turn.blocked || turn.waiting < MOST_WAITING || !socket.writable) return undefined;
      waiting ??= Promise.withResolvers();
      return waiting.promise;
    },
    acknowledge(channel, upTo) {
      acks.set(channel, upTo);
      turn.schedule();
    },
    flush: () => turn.flush(),
  };
}

/** The beginning of a frame of `size` bytes. */
export function frameHead(writer: Writer, type: number, channel: number, size: number): void {
  writer.byte(type);
  writer.uint16(channel);
  writer.uint32(size);
}

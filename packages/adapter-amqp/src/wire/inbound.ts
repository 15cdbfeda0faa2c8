import { Malformed } from '@magpie/adapter-kit';
import { FrameCursor } from './cursor.ts';
import { FRAME, FRAME_AROUND, FRAME_HEAD } from './frames.ts';
import type { LibraryConnection } from './library.ts';

/** Handles frames of one channel before the library sees them. */
export interface Route {
  /**
   * Takes the payload of a frame, or leaves it to the library and returns false. Throws `Malformed`, which ends the link;
   * nothing else.
   */
  frame(type: number, cursor: FrameCursor): boolean;
}

/** The incoming frames of one link. */
export interface Inbound {
  /** Passes the frames of a channel to the route first. */
  attach(channel: number, route: Route): void;
  detach(channel: number): void;
  /** Passes all frames to the library. */
  detachAll(): void;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Replaces the library's frame reader: frames handled by a route never reach the library, all others it decodes itself.
 * A protocol violation is thrown into the library, which ends the connection.
 */
export function interceptFrames(connection: LibraryConnection): Inbound {
  const readNext = connection.recvFrame.bind(connection);
  const frames = createFrames(connection.frameMax, connection.rest);
  const cursor = new FrameCursor();
  let routes: (Route | undefined)[] = [];
  let isBroken = false;
  connection.rest = NOTHING;

  const isTaken = (frame: FrameView): boolean => {
    const { bytes, from, end } = frame;
    const route = routes[(bytes[from + 1]! << 8) | bytes[from + 2]!];
    if (!route) return false;
    if (bytes[end - 1] !== FRAME.end) throw new Malformed('a frame without its end');
    cursor.reset(bytes, from + FRAME_HEAD, end - 1);
    return route.frame(bytes[from]!, cursor);
  };
  const next = (): unknown => {
    for (;;) {
      while (frames.next()) {
        if (isTaken(frames.view)) continue;
        connection.rest = frames.view.bytes.subarray(frames.view.from, frames.view.end);
        return readNext();
      }
      const received: unknown = connection.stream.read();
      if (!Buffer.isBuffer(received)) return false;
      connection.recvSinceLastCheck = true;
      frames.push(received);
    }
  };
  connection.recvFrame = () => {
    if (isBroken) return false;
    try {
      return next();
    } catch (error) {
      isBroken = true;
      throw error instanceof Malformed ? new Error(`the broker has sent ${error.message}`, { cause: error }) : error;
    }
  };
  return {
    attach(channel, route) {
      routes[channel] = route;
    },
    detach(channel) {
      routes[channel] = undefined;
    },
    detachAll() {
      routes = [];
    },
  };
}

/** Position of a frame. */
interface FrameView {
  bytes: Buffer;
  from: number;
  /** After its last byte. */
  end: number;
}

/** Received bytes, cut into frames. */
interface Frames {
  /** The frame that `next` has found; valid until it is called again. */
  readonly view: Readonly<FrameView>;
  /** Whether another complete frame has arrived. Throws `Malformed` for one that is too large. */
  next(): boolean;
  /** Takes the next chunk, which must not be changed afterwards. Called when `next` has returned false. */
  push(chunk: Buffer): void;
}

/** Keeps one frame at most, in memory of its size. */
function createFrames(frameMax: number, first: Buffer): Frames {
  const view: FrameView = { bytes: NOTHING, from: 0, end: 0 };
  let chunk = first;
  let at = 0;
  let after = NOTHING;
  let unfinished: Buffer | undefined;
  let filled = 0;

  const begin = (left: number, size: number): void => {
    unfinished = Buffer.allocUnsafeSlow(size + FRAME_AROUND);
    filled = left;
    chunk.copy(unfinished, 0, at);
    chunk = NOTHING;
    at = 0;
  };
  const goOn = (): void => {
    chunk = after;
    at = 0;
    after = NOTHING;
  };
  return {
    view,
    next() {
      if (unfinished) return false;
      if (at === chunk.length && after.length > 0) goOn();
      const left = chunk.length - at;
      if (left < FRAME_HEAD) return false;
      const size = chunk.readUInt32BE(at + 3);
      if (size > frameMax) throw new Malformed(`a frame of ${size} bytes, more than the ${frameMax} agreed upon`);
      const end = at + size + FRAME_AROUND;
      if (end > chunk.length) {
        begin(left, size);
        return false;
      }
      view.bytes = chunk;
      view.from = at;
      view.end = end;
      at = end;
      return true;
    },
    push(received) {
      if (!unfinished) {
        chunk = at < chunk.length ? Buffer.concat([chunk.subarray(at), received]) : received;
        at = 0;
        return;
      }
      const taken = received.copy(unfinished, filled);
      filled += taken;
      if (filled < unfinished.length) return;
      chunk = unfinished;
      at = 0;
      after = received.subarray(taken);
      unfinished = undefined;
    },
  };
}

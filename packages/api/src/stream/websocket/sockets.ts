import type { Gateway } from '@magpie/core';
import type { Metrics } from '@magpie/telemetry';
import type { WebSocket } from 'ws';
import type { Caller } from '../../http/access/permit.ts';
import { createEventEncoder } from '../encoder.ts';
import { CLOSE, FRAME_BYTES, PROTOCOL, type StreamLimits } from '../frames.ts';
import { openSession, type Session } from './session.ts';

/** All sockets of `/v1/stream`. */
export interface Streams {
  /** Serves one socket until it closes. */
  open(socket: WebSocket, caller: Caller): void;
  /** Closes the sockets of callers that are no longer let in, with 4403. */
  keepOnly(isCurrent: (caller: Caller) => boolean): void;
  /** Says goodbye to all and closes them with 1001. */
  close(): void;
}

/** Serves the WebSocket stream; `basePath` is the prefix under which clients see the API. */
export function createStreams(gateway: Gateway, metrics: Metrics, limits: StreamLimits, basePath?: string): Streams {
  const sessions = new Map<Session, Caller>();
  const encode = createEventEncoder(gateway, limits.eventFrameBytes - FRAME_BYTES, { basePath });
  const show = (): void => metrics.streamSubscribers.set({}, sessions.size);
  show();
  return {
    open: (socket, caller) => {
      if (socket.protocol !== PROTOCOL) return socket.close(CLOSE.noProtocol.code, CLOSE.noProtocol.reason);
      const session = openSession(socket, { gateway, encode, limits, caller });
      sessions.set(session, caller);
      show();
      socket.on('close', () => {
        session.end();
        sessions.delete(session);
        show();
      });
    },
    keepOnly: (isCurrent) => {
      for (const [session, caller] of sessions) if (!isCurrent(caller)) session.refuse();
    },
    close: () => {
      for (const session of sessions.keys()) session.bye();
    },
  };
}

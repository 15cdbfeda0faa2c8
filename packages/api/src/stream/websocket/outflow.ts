import type { WebSocket } from 'ws';
import { CLOSE, type Close, type StreamLimits } from '../frames.ts';
import type { StreamOutput } from '../output.ts';

/** Replies queued for an app that does not read; beyond it the socket is closed. */
const REPLIES_WHILE_FULL = 256;

/** Longest time for a closing handshake, ms. */
const CLOSE_MS = 1000;

/** What goes out on one socket, bounded by the bytes not yet sent. `onRoom` follows when a full one has sent half of it. */
export interface Outflow extends StreamOutput {
  /** Answers a ping; while the socket is full only the latest one, once there is room (RFC 6455, 5.5.3). */
  pong(data: Buffer): void;
  /** Closes the socket, and cuts it when the app does not answer. */
  close(close: Close): void;
  /** Stops the timers. */
  end(): void;
}

/**
 * Watches a socket's unsent bytes: above the limit it is full, and it is closed with 4008 when it stays full for
 * `slowMs`. `onFull` and `onRoom` alternate.
 */
export function createOutflow(
  socket: WebSocket,
  { bufferedBytes, slowMs }: StreamLimits,
  on: { readonly full: () => void; readonly room: () => void },
): Outflow {
  let slow: NodeJS.Timeout | undefined;
  let cut: NodeJS.Timeout | undefined;
  let replies = 0;
  let unanswered: Buffer | undefined;

  const close = ({ code, reason }: Close): void => {
    if (cut) return;
    socket.close(code, reason);
    cut = setTimeout(() => socket.terminate(), CLOSE_MS);
  };

  const sent = (): void => {
    if (!slow || socket.bufferedAmount > bufferedBytes / 2) return;
    clearTimeout(slow);
    slow = undefined;
    replies = 0;
    on.room();
    if (unanswered) pong(unanswered);
  };

  const watch = (): void => {
    if (slow || socket.bufferedAmount <= bufferedBytes) return;
    slow = setTimeout(() => close(CLOSE.slow), slowMs);
    on.full();
  };

  const sendText = (text: string): void => {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(text, sent);
    watch();
  };

  const pong = (data: Buffer): void => {
    if (socket.readyState !== socket.OPEN) return;
    unanswered = slow && data;
    if (unanswered) return;
    socket.pong(data, undefined, sent);
    watch();
  };

  return {
    sendText,
    pong,
    send: (frame) => {
      if (slow && ++replies > REPLIES_WHILE_FULL) return close(CLOSE.slow);
      sendText(JSON.stringify(frame));
    },
    full: () => slow !== undefined,
    close,
    end: () => {
      clearTimeout(slow);
      clearTimeout(cut);
    },
  };
}

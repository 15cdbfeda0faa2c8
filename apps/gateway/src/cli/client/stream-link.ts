import { ANSWERS, type Answer } from '@magpie/api';
import { parseJsonBody } from '@magpie/contract';
import { type RawData, WebSocket } from 'ws';
import { CommandFailed } from '../output/fail.ts';
import { authorization, type ClientOptions, refusalText } from './http.ts';

/** A frame of the gateway. */
export type Frame = Answer<'frame'>;

/** How a link ended: its close code (RFC 6455 section 7.4) and the words that came with it. */
export interface LinkEnd {
  readonly code: number;
  readonly reason: string;
}

/** Callbacks of a link; an error thrown by one of them ends it. */
export interface LinkEvents {
  /** The link is up; `send` takes the app's frames. */
  open(send: (frame: object) => void): void;
  frame(frame: Frame): void;
}

/** The link could not be opened; another attempt may succeed. */
export class NoLink extends Error {
  override readonly name = 'NoLink';
}

/** Pings of the gateway that may be missed before the link is taken for dead. */
const MISSED_PINGS = 3;

/** How long the gateway may take to answer a close, ms. */
const CLOSE_MS = 1000;

/**
 * One WebSocket to `/v1/stream`. Resolves when it ends, for whatever reason; closes with 1000 when the signal fires.
 * Rejects with `NoLink` when nothing answers or the gateway is not ready, with `CommandFailed` and the gateway's
 * message when the gateway refuses for good, and with any error that `events` throws.
 */
export function openLink(options: ClientOptions, events: LinkEvents, signal: AbortSignal): Promise<LinkEnd> {
  const url = new URL('/v1/stream', options.url);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url, ['magpie.v1.json'], { headers: authorization(options) });
  const watch = cutWhenSilent(socket);
  const stop = (): void => closeOrCut(socket);
  signal.addEventListener('abort', stop, { once: true });
  const ended = new Promise<LinkEnd>((resolve, reject) => {
    const failed = (error: unknown): void => {
      reject(error);
      closeOrCut(socket);
    };
    socket.on('open', () => attempt(failed, () => events.open((frame) => socket.send(JSON.stringify(frame)))));
    socket.on('message', (data) =>
      attempt(failed, () => {
        const frame = parseFrame(data, url);
        watch(frame);
        events.frame(frame);
      }),
    );
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
    socket.on('error', ({ message }) => reject(new NoLink(`no stream at ${url.href}: ${message}`)));
    onRefusal(socket, failed);
  });
  return ended.finally(() => signal.removeEventListener('abort', stop));
}

function attempt(failed: (error: unknown) => void, action: () => void): void {
  try {
    action();
  } catch (error) {
    failed(error);
  }
}

/** The gateway answered the upgrade with an HTTP error: its problem document says why. */
function onRefusal(socket: WebSocket, failed: (error: unknown) => void): void {
  socket.on('unexpected-response', (_, response) => {
    const { statusCode = 0 } = response;
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const text = refusalText(statusCode, Buffer.concat(chunks).toString());
      failed(statusCode === 429 || statusCode >= 500 ? new NoLink(text) : new CommandFailed(text));
    });
  });
}

function parseFrame(data: RawData, { href }: URL): Frame {
  const parsed = ANSWERS.frame.safeParse(parseJsonBody(Buffer.from(String(data)), 'application/json'));
  if (parsed.success) return parsed.data;
  throw new CommandFailed(
    `the answer from ${href} is not one of this Magpie version; check --url and the version of the gateway`,
  );
}

function closeOrCut(socket: WebSocket): void {
  socket.close(1000);
  setTimeout(() => socket.terminate(), CLOSE_MS).unref();
}

/** The first frame says how often the gateway pings. A link without pings is lost. */
function cutWhenSilent(socket: WebSocket): (frame: Frame) => void {
  let timer: NodeJS.Timeout | undefined;
  socket.on('ping', () => timer?.refresh());
  socket.on('close', () => clearTimeout(timer));
  return (frame) => {
    if (frame.type === 'hello') timer ??= setTimeout(() => socket.terminate(), frame.pingMs * MISSED_PINGS);
  };
}

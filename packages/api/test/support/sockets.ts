import { waitFor } from '@magpie/testkit';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';

/** A frame as it came. */
export interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly events?: readonly { readonly position: string; readonly event: { readonly text: string } }[];
  readonly [field: string]: unknown;
}

/** A WebSocket client that keeps what it gets. */
export interface Client {
  readonly socket: WebSocket;
  readonly frames: readonly Frame[];
  send(frame: object | string | Buffer): void;
  /** The first frame of a type, once it is there. */
  frame(type: string): Promise<Frame>;
  /** Texts of all events so far. */
  texts(): readonly string[];
  /** Code of the close, once it has happened. */
  closed(): Promise<number>;
}

/** Opens a client on `/v1/stream`; it is cut with the test. */
export async function openClient(
  url: string,
  {
    path = '/v1/stream',
    protocols = ['magpie.v1.json'],
    ...options
  }: ClientOptions & {
    readonly path?: string;
    readonly protocols?: string[];
  } = {},
): Promise<Client> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, protocols, options);
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  let code: number | undefined;
  socket.on('message', (data) => frames.push(JSON.parse(String(data))));
  socket.on('close', (closed) => {
    code = closed;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined); // The close says enough.
  return {
    socket,
    frames,
    send: (frame) => socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame)),
    frame: (type) => waitFor(() => frames.find((frame) => frame.type === type), { what: `a frame ${type}` }),
    texts: () => frames.flatMap(({ events = [] }) => events.map(({ event }) => event.text)),
    closed: () => waitFor(() => code, { what: 'the close' }),
  };
}

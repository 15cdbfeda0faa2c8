import { randomBytes } from 'node:crypto';
import { clientFrame, OPCODE, streamReader } from '../codecs/websocket-codec.ts';
import { openLine } from '../line.ts';
import type { SinkSpecification } from '../specification.ts';
import type { Listener, Sink } from './ends.ts';

type Specification = Extract<SinkSpecification, { kind: 'websocket' }>;

const PONG = 10;
/** Sockets opened at the same time. */
const TOGETHER = 20;

/** Opens all subscribers; each of them tells of every message. */
export async function websocketSink(specification: Specification, listener: Listener): Promise<Sink> {
  const open: Sink[] = [];
  while (open.length < specification.subscribers) {
    const count = Math.min(TOGETHER, specification.subscribers - open.length);
    const opening = Array.from({ length: count }, () => openSubscriber(specification, listener));
    open.push(
      ...(await Promise.all(opening).catch((error: Error) => {
        for (const subscriber of open) subscriber.close();
        throw new Error(`${open.length} of ${specification.subscribers} WebSockets were open, then: ${error.message}`);
      })),
    );
  }
  return {
    close: () => {
      for (const subscriber of open) subscriber.close();
    },
  };
}

/** Upgrades, says hello, and waits for the greeting where there is one. */
async function openSubscriber(
  { port, path, protocol, hello, greeting }: Specification,
  listener: Listener,
): Promise<Sink> {
  const upgraded = Promise.withResolvers<void>();
  const greeted = Promise.withResolvers<void>();
  greeted.promise.catch(() => undefined);
  let start: Buffer | undefined = Buffer.alloc(0);
  const stream = streamReader({
    sequence: listener.arrived,
    ping: (payload) => line.write(clientFrame(PONG, payload)),
    close: () => listener.failed(new Error('the server closed a WebSocket')),
  });
  const upgrade = (bytes: Buffer): Buffer | undefined => {
    const [head, rest] = splitHead(bytes);
    if (head === undefined) return undefined;
    if (head.startsWith('HTTP/1.1 101')) upgraded.resolve();
    else upgraded.reject(new Error(`the server refused a WebSocket: ${head.split('\r\n')[0]}`));
    return rest;
  };
  const read = (bytes: Buffer): void => {
    if (start === undefined) {
      stream(bytes);
      listener.settled();
      return;
    }
    start = Buffer.concat([start, bytes]);
    const rest = start.includes('\r\n\r\n') ? upgrade(start) : undefined;
    if (rest === undefined || (greeting !== undefined && !rest.includes(greeting))) return;
    start = undefined;
    greeted.resolve();
    stream(rest);
  };
  const line = await openLine(port, read, (error) => {
    upgraded.reject(error);
    greeted.reject(error);
    listener.failed(error);
  });
  line.write(request(port, path, protocol));
  await upgraded.promise;
  if (hello !== undefined) line.write(clientFrame(OPCODE.text, Buffer.from(hello)));
  if (greeting !== undefined) await greeted.promise;
  return { close: line.close };
}

function splitHead(bytes: Buffer): [string | undefined, Buffer] {
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? [undefined, bytes] : [bytes.toString('latin1', 0, end), bytes.subarray(end + 4)];
}

function request(port: number, path: string, protocol: string | undefined): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
    ...(protocol === undefined ? [] : [`sec-websocket-protocol: ${protocol}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

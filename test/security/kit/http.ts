import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What to ask beside the URL. */
export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Time for all of it, ms; default 20,000. */
  readonly timeout?: number;
}

/** One request over a socket of its own. Rejects when the socket breaks or the time is over. */
export async function ask(url: string, { method, headers, body, timeout = 20_000 }: Question = {}): Promise<Answer> {
  const asked = request(url, {
    ...{ method: method ?? (body === undefined ? 'GET' : 'POST'), headers, agent: false },
    signal: AbortSignal.timeout(timeout),
  });
  asked.end(body);
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** Posts JSON. */
export const post = (url: string, value: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  ask(url, {
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof value === 'string' ? value : JSON.stringify(value),
  });

/** A socket to a server that says these bytes, never ends by itself and goes with the test. */
export async function rawSocket(url: string, bytes: string | Buffer = ''): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined); // A reset is one way to end.
  await once(socket, 'connect');
  if (bytes.length > 0) socket.write(bytes);
  return socket;
}

/** Several of them. */
export const rawSockets = (count: number, url: string, bytes = ''): Promise<readonly Socket[]> =>
  Promise.all(Array.from({ length: count }, () => rawSocket(url, bytes)));

/** A GET as bytes. */
export const getting = (path: string, fields = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${fields}\r\n`;

/** The head of a POST of a message as bytes. */
export const postHead = (fields: string): string =>
  `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${fields}\r\n\r\n`;

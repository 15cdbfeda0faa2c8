import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A socket to a server that says these bytes and never closes its side by itself; it ends with the test. */
export async function raw(url: string, bytes = ''): Promise<Socket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined); // A reset is one way to end.
  await once(socket, 'connect');
  if (bytes !== '') socket.write(bytes);
  return socket;
}

/** The first bytes that come. */
export const answerOf = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]);

/** The head of a POST of a message. */
export const head = (fields: string): string =>
  `POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${fields}\r\n\r\n`;

/** A GET as bytes. */
export const getting = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`;

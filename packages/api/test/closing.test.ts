import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitFor } from '@magpie/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startWorld } from './fixtures.ts';
import { openClient } from './sockets.ts';

async function rawSocket(url: string, bytes: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined); // A reset is one way to end.
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

const HALF =
  'POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{';

test('streams are told bye and closed with 1001', async () => {
  const world = await startWorld();
  const client = await openClient(await world.listen());
  await client.frame('hello');
  await world.api.close(AbortSignal.timeout(5000));
  expect(await client.closed()).toBe(1001);
  expect(client.frames.at(-1)).toEqual({ type: 'bye', reconnectAfterMs: 1000 });
});

test('a half-sent request, an idle socket and a stream that does not answer cannot hold up the close', async () => {
  const world = await startWorld();
  const url = await world.listen();
  const sockets = [await rawSocket(url, HALF), await rawSocket(url, '')];
  const client = await openClient(url);
  client.socket.pause();
  const started = performance.now();
  await world.api.close(AbortSignal.timeout(5000));
  expect(performance.now() - started).toBeLessThan(3000);
  for (const socket of sockets) socket.resume();
  await waitFor(() => sockets.every(({ destroyed }) => destroyed), { what: 'the end of the sockets' });
});

test('a signal that has fired cuts everything at once', async () => {
  const world = await startWorld();
  await rawSocket(await world.listen(), HALF);
  const started = performance.now();
  await world.api.close(AbortSignal.abort());
  expect(performance.now() - started).toBeLessThan(1000);
});

test('a request in flight is finished, and its connection is not kept', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const deadLetters = async () => {
    await held;
    return [];
  };
  const world = await startWorld({ wrapLog: (log) => ({ ...log, deadLetters }) });
  const url = await world.listen();
  const response = fetch(`${url}/v1/dead-letters`);
  await waitFor(async () => (await fetch(`${url}/livez`)).ok, { what: 'the server' });
  const closed = world.api.close(AbortSignal.timeout(5000));
  setTimeout(release, 300);
  expect((await response).status).toBe(200);
  expect((await response).headers.get('connection')).toBe('close');
  await closed;
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
});

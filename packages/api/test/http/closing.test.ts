import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { startWorld } from '../support/fixtures.ts';
import { head, raw } from '../support/raw.ts';
import { openClient } from '../support/sockets.ts';

const HALF = `${head('content-length: 99')}{`;

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
  const sockets = [await raw(url, HALF), await raw(url, '')];
  const client = await openClient(url);
  client.socket.pause();
  const started = performance.now();
  await world.api.close(AbortSignal.timeout(5000));
  expect(performance.now() - started).toBeLessThan(3000);
  for (const socket of sockets) socket.resume();
  await waitFor(() => sockets.every(({ destroyed, readableEnded }) => destroyed || readableEnded), {
    what: 'the end of the sockets',
  });
});

test('a signal that has fired cuts everything at once', async () => {
  const world = await startWorld();
  await raw(await world.listen(), HALF);
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

import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { KEYS, post, startWorld, type World } from '../support/fixtures.ts';
import { answerOf, getting, head, raw } from '../support/raw.ts';

const openSockets = ({ api }: World): Promise<number> =>
  new Promise((resolve, reject) => {
    api.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

const allClosed = (world: World) =>
  waitFor(async () => (await openSockets(world)) === 0, { what: 'the end of all sockets', timeout: 10_000 });

test.each([
  ['nothing', ''],
  ['half a head', 'GET /livez HTTP/1.1\r\nhost: loc'],
  ['half a body', `${head('content-length: 99')}{`],
])('a client that has sent %s in time is told 408 and its socket taken back, though it stays', async (_, bytes) => {
  const world = await startWorld({ times: { headers: 200, request: 200 } });
  const url = await world.listen();
  const sockets = await Promise.all(Array.from({ length: 3 }, () => raw(url, bytes)));
  expect(await Promise.all(sockets.map(answerOf))).toEqual(Array(3).fill(expect.stringMatching(/^HTTP\/1.1 408 /)));
  await allClosed(world);
});

test('bytes that are no HTTP are answered and the socket taken back, though the client stays', async () => {
  const world = await startWorld();
  const socket = await raw(await world.listen(), 'what?\r\n\r\n');
  expect(await answerOf(socket)).toMatch(/^HTTP\/1.1 400 /);
  await allClosed(world);
});

test('a client that reads nothing of its answers is cut', async () => {
  const world = await startWorld({ times: { stalled: 400 } });
  for (let index = 0; index < 60; index++) await post(world, { topic: 'a', text: 'x'.repeat(60_000) });
  const socket = await raw(await world.listen());
  socket.pause();
  for (let count = 0; count < 10; count++) socket.write(getting('/v1/events?limit=100'));
  await waitFor(async () => (await openSockets(world)) === 1, { what: 'the socket' });
  await allClosed(world);
});

const UPGRADE = [
  'GET /v1/stream HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: magpie.v1.json\r\n\r\n',
].join('\r\n');

/** A world whose lists of dead letters are slow, and how many were made at once at the most. */
async function slowLists(): Promise<World & { readonly most: () => number }> {
  let [now, most] = [0, 0];
  const world = await startWorld({
    wrapLog: (log) => ({
      ...log,
      deadLetters: async (query) => {
        most = Math.max(most, ++now);
        await sleep(2);
        now--;
        return log.deadLetters(query);
      },
    }),
  });
  return { ...world, most: () => most };
}

test('requests that a client has sent ahead are answered in order, one at a time', async () => {
  const world = await slowLists();
  const socket = await raw(await world.listen());
  let answers = '';
  socket.on('data', (bytes) => {
    answers += String(bytes);
  });
  const requests = Array.from({ length: 20 }, (_, index) => getting(index % 2 ? '/livez' : '/v1/dead-letters'));
  socket.write(requests.join(''));
  await waitFor(() => answers.split('HTTP/1.1 200').length === 21, { what: 'all answers' });
  expect([...answers.matchAll(/\{"(\w+)"/g)].map(([, name]) => name)).toEqual(
    Array.from({ length: 20 }, (_, index) => (index % 2 ? 'status' : 'deadLetters')),
  );
  expect(world.most()).toBe(1);
});

test('a client that sends hundreds of requests ahead is cut', async () => {
  const world = await slowLists();
  const socket = await raw(await world.listen(), getting('/v1/dead-letters').repeat(500));
  await waitFor(() => world.most() === 1, { what: 'the first of them' });
  await allClosed(world);
  expect(world.most()).toBe(1);
  expect(socket.destroyed || socket.readableEnded || !socket.readableFlowing).toBe(true);
});

test('a client that is refused a WebSocket for lack of a key has its socket closed', async () => {
  const world = await startWorld({ http: { keys: KEYS } });
  const socket = await raw(await world.listen(), UPGRADE);
  expect(await answerOf(socket)).toMatch(/^HTTP\/1.1 401 /);
  await allClosed(world);
});

test.each(['/livez', '/readyz', '/v1', '/nowhere'])('nobody gets a WebSocket at %s', async (path) => {
  const world = await startWorld({ http: { keys: KEYS } });
  const url = await world.listen();
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, ['magpie.v1.json']);
  const [error] = await once(socket, 'error');
  expect(String(error)).toContain('426');
  await allClosed(world);
});

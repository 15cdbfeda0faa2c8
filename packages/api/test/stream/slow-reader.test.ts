import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { post, startWorld, type World } from '../support/fixtures.ts';
import { openClient } from '../support/sockets.ts';

const BODY = 'x'.repeat(60_000);
const BUDGET = 1024 * 1024;

/** Far more than the kernel's socket buffers take. */
const COUNT = 400;

async function flood(world: World): Promise<void> {
  for (let index = 0; index < COUNT; index++) await post(world, { topic: 'a', text: `${index} ${BODY}` });
}

/** Unsent bytes of the only socket on the gateway's side. */
function unsent({ api }: World): number {
  const [socket] = api.app.websocketServer.clients;
  return socket?.bufferedAmount ?? 0;
}

test('a reader that stops is not buffered for beyond the budget and one batch, and misses nothing when it goes on', async () => {
  const world = await startWorld();
  const client = await openClient(await world.listen());
  client.send({ type: 'subscribe', id: 's', connection: 'http' });
  await client.frame('subscribed');
  client.socket.pause();
  await flood(world);
  await waitFor(() => unsent(world) > BUDGET, { what: 'a full socket' });
  expect(unsent(world)).toBeLessThan(BUDGET + 2 * 256 * 1024 + 2 * BODY.length);
  client.socket.resume();
  await waitFor(() => client.texts().length === COUNT, { what: 'all events', timeout: 10_000 });
  expect(client.texts().map((text) => Number.parseInt(text, 10))).toEqual(Array.from({ length: COUNT }, (_, n) => n));
}, 30_000);

test('credit does not let a reader that stops be buffered for without bound', async () => {
  const world = await startWorld();
  const client = await openClient(await world.listen());
  client.send({ type: 'subscribe', id: 's', connection: 'http', credit: 100_000 });
  await client.frame('subscribed');
  client.socket.pause();
  await flood(world);
  await waitFor(() => unsent(world) > BUDGET, { what: 'a full socket' });
  expect(unsent(world)).toBeLessThan(BUDGET + 2 * 256 * 1024 + 2 * BODY.length);
}, 30_000);

test('32 subscriptions of a reader that stops share the budget of their socket, from the log and live', async () => {
  const world = await startWorld();
  const client = await openClient(await world.listen());
  await flood(world);
  client.socket.pause();
  const [socket] = world.api.app.websocketServer.clients;
  let most = 0;
  const send = socket!.send.bind(socket) as (text: string, sent: () => void) => void;
  socket!.send = (text: string, sent?: unknown) => {
    send(text, sent as () => void);
    most = Math.max(most, socket!.bufferedAmount);
  };
  for (let id = 0; id < 32; id++) {
    const from = id % 2 === 0 ? { after: 'earliest' } : {};
    client.send({ type: 'subscribe', id: `s${id}`, connection: 'http', ...from });
  }
  await waitFor(() => most > BUDGET, { what: 'a full socket' });
  await flood(world);
  expect(most).toBeLessThan(BUDGET + 2 * 256 * 1024 + 2 * BODY.length);
}, 30_000);

test('a reader that stays too slow is closed with 4008, the others go on', async () => {
  const world = await startWorld({ stream: { slowMs: 200 } });
  const url = await world.listen();
  const slow = await openClient(url);
  const quick = await openClient(url);
  for (const client of [slow, quick]) client.send({ type: 'subscribe', id: 's', connection: 'http' });
  await Promise.all([slow.frame('subscribed'), quick.frame('subscribed')]);
  slow.socket.pause();
  const sockets = [...world.api.app.websocketServer.clients];
  const flooded = flood(world);
  await waitFor(() => sockets.some(({ readyState, CLOSING }) => readyState === CLOSING), { what: 'the close' });
  slow.socket.resume();
  await flooded;
  expect(await slow.closed()).toBe(4008);
  await waitFor(() => quick.texts().length === COUNT, { what: 'all events at the quick one', timeout: 10_000 });
}, 30_000);

test('a frame is below 1 MiB: small events come at once, a large one without its body, which is where it says', async () => {
  const world = await startWorld({ maxBodyBytes: 2_000_000 });
  const large = Buffer.alloc(1_000_000, 0xff);
  await post(world, { topic: 'a', text: 'small' });
  await post(world, { topic: 'a', base64: large.toString('base64') });
  await post(world, { topic: 'a', text: 'last' });
  const url = await world.listen();
  const client = await openClient(url, { maxPayload: 1024 * 1024 });
  client.send({ type: 'subscribe', id: 's', connection: 'http', after: 'earliest' });
  await waitFor(() => client.texts().length === 3, { what: 'all events' });
  expect(client.texts()).toEqual(['small', undefined, 'last']);
  const { bodyUrl, bytes, ref } = client.frames.flatMap(({ events = [] }) => events)[1]!.event as unknown as {
    readonly bodyUrl: string;
    readonly bytes: number;
    readonly ref: string;
  };
  expect([bodyUrl, bytes]).toEqual([`/v1/messages/${ref}/body`, large.byteLength]);
  const response = await fetch(`${url}${bodyUrl}`);
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect(Buffer.from(await response.arrayBuffer()).equals(large)).toBe(true);
});

test('pings of a reader that stops are answered within the budget, and the last one once it goes on', async () => {
  const world = await startWorld();
  const client = await openClient(await world.listen());
  const pongs: string[] = [];
  client.socket.on('pong', (data) => pongs.push(String(data)));
  client.socket.pause();
  const padding = 'x'.repeat(100);
  let count = 0;
  const ping = (): void => client.socket.ping(`${count++} ${padding}`);
  await waitFor(
    () => {
      for (let index = 0; index < 5000; index++) ping();
      return unsent(world) > BUDGET;
    },
    { what: 'a full socket', timeout: 20_000 },
  );
  for (let index = 0; index < 20_000; index++) ping();
  client.send({ type: 'ping' });
  expect(unsent(world)).toBeLessThan(BUDGET + 64 * 1024);
  client.socket.resume();
  await waitFor(() => pongs.at(-1) === `${count - 1} ${padding}`, { what: 'the last answer', timeout: 10_000 });
  expect(pongs.length).toBeLessThan(count);
}, 60_000);

test('a peer that is silent for two pings is cut', async () => {
  const world = await startWorld({ stream: { pingMs: 50 } });
  const url = await world.listen();
  const silent = await openClient(url, { autoPong: false });
  const lively = await openClient(url);
  expect(await silent.closed()).toBe(1006);
  expect(lively.socket.readyState).toBe(lively.socket.OPEN);
});

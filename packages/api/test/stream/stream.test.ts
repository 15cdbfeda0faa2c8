import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import type { z } from 'zod';
import { SERVER_FRAMES } from '../../src/stream/frames.ts';
import { BEARER, get, KEYS, post, startWorld, type World } from '../support/fixtures.ts';
import { openClient } from '../support/sockets.ts';

async function publish(world: World, texts: readonly string[], topic = 'a'): Promise<void> {
  for (const text of texts) await post(world, { topic, text });
}

const gets = (client: { texts(): readonly string[] }, texts: readonly string[]) =>
  waitFor(() => client.texts().length >= texts.length, { what: `${texts.length} events` }).then(() =>
    expect(client.texts()).toEqual(texts),
  );

test('a subscription gets new events, and all frames fit their schemas', async () => {
  const world = await startWorld();
  await publish(world, ['before']);
  const client = await openClient(await world.listen());
  client.send({ type: 'subscribe', id: 's', connection: 'http', address: 'a', kinds: ['message'] });
  expect((await client.frame('subscribed')).position).toBe(world.gateway.head());
  await publish(world, ['1', '2']);
  await publish(world, ['other'], 'b');
  await publish(world, ['3']);
  await gets(client, ['1', '2', '3']);
  client.send({ type: 'ping' });
  client.send({ type: 'ack', id: 's', position: world.gateway.head() ?? '' });
  client.send({ type: 'unsubscribe', id: 's' });
  await client.frame('unsubscribed');
  await publish(world, ['after']);
  const schemas: Readonly<Record<string, z.ZodType>> = SERVER_FRAMES;
  for (const frame of client.frames) expect(schemas[frame.type]?.parse(frame)).toEqual(frame);
  expect(client.frames.map(({ type }) => type)).toContain('pong');
  expect(client.texts()).toEqual(['1', '2', '3']);
});

test('a subscription resumes after a position or from the earliest kept event', async () => {
  const world = await startWorld();
  await publish(world, ['1', '2', '3']);
  const url = await world.listen();
  const first = await openClient(url);
  first.send({ type: 'subscribe', id: 's', connection: 'http', after: 'earliest', credit: 2 });
  await gets(first, ['1', '2']);
  const last = first.frames.flatMap(({ events = [] }) => events).at(-1)!.position;
  first.socket.terminate();
  const second = await openClient(url);
  second.send({ type: 'subscribe', id: 's', connection: 'http', after: last });
  await gets(second, ['3']);
});

test('with credit exactly so many events come', async () => {
  const world = await startWorld();
  const client = await openClient(await world.listen());
  client.send({ type: 'subscribe', id: 's', connection: 'http', credit: 0 });
  await client.frame('subscribed');
  await publish(world, ['1', '2', '3', '4']);
  expect(client.texts()).toEqual([]);
  client.send({ type: 'credit', id: 's', credit: 3 });
  await gets(client, ['1', '2', '3']);
  client.send({ type: 'ping' });
  await client.frame('pong');
  expect(client.texts()).toHaveLength(3);
  client.send({ type: 'credit', id: 's', credit: 1 });
  await gets(client, ['1', '2', '3', '4']);
});

test('events that are no longer kept are announced as a gap', async () => {
  const world = await startWorld({ maxBodyBytes: 10 * 1024 * 1024 });
  await publish(world, ['1', '2', '3']);
  const [oldest] = (await get(world, '/v1/events?connection=http&after=earliest')).json().events;
  // More than the gateway keeps in memory, so that it has to look into the log.
  await publish(world, ['x'.repeat(9 * 1024 * 1024), 'y'.repeat(9 * 1024 * 1024)]);
  await world.log.retain({ maxAge: 1e9, maxBytes: 1, floor: undefined });
  await publish(world, ['4']);
  const client = await openClient(await world.listen());
  client.send({ type: 'subscribe', id: 's', connection: 'http', after: oldest.position });
  expect(await client.frame('gap')).toMatchObject({ id: 's', from: oldest.position });
});

test.each([
  ['no JSON', '{', 400, 'Expected JSON'],
  ['binary', Buffer.from('{}'), 400, 'binary'],
  ['an unknown type', { type: 'publish' }, 400, 'type'],
  ['an unknown field', { type: 'ping', x: 1 }, 400, 'x'],
  ['credit for nobody', { type: 'credit', id: 'x', credit: 1 }, 400, 'no subscription "x"'],
  ['a position of no log', { type: 'subscribe', id: 's', after: 'garbage' }, 400, '/after'],
  ['an unknown connection', { type: 'subscribe', id: 's', connection: 'flor', address: 'a' }, 400, 'flor'],
])('a frame with %s is answered with an error and the socket stays open', async (_, frame, status, detail) => {
  const client = await openClient(await (await startWorld()).listen());
  client.send(frame);
  const error = await client.frame('error');
  expect(error.status).toBe(status);
  expect(error.detail).toContain(detail);
  client.send({ type: 'ping' });
  await client.frame('pong');
});

test('a name can be used once per socket, and there are at most 32 subscriptions', async () => {
  const client = await openClient(await (await startWorld()).listen());
  const errors = () => client.frames.filter(({ type }) => type === 'error');
  for (let index = 0; index < 32; index++) client.send({ type: 'subscribe', id: `${index}` });
  client.send({ type: 'subscribe', id: '0' });
  client.send({ type: 'subscribe', id: '32' });
  await waitFor(() => errors().length === 2, { what: 'two errors' });
  expect(errors().map(({ id, status }) => [id, status])).toEqual([
    ['0', 400],
    ['32', 429],
  ]);
});

test('a frame above 64 KiB closes the socket with 1009', async () => {
  const client = await openClient(await (await startWorld()).listen());
  client.send(JSON.stringify({ type: 'ping', x: 'x'.repeat(70_000) }));
  expect(await client.closed()).toBe(1009);
});

test('a socket without a subprotocol is closed with 4406, one with another is refused with 400', async () => {
  const url = await (await startWorld()).listen();
  expect(await (await openClient(url, { protocols: [] })).closed()).toBe(4406);
  await expect(openClient(url, { protocols: ['other'] })).rejects.toThrow('400');
});

test('a plain request is answered with 426', async () => {
  const response = await get(await startWorld(), '/v1/stream');
  expect([response.statusCode, response.headers.upgrade]).toEqual([426, 'websocket']);
});

test('pages of other origins cannot open a socket unless allowed', async () => {
  const world = await startWorld({ http: { cors: { origins: ['https://app.example.org'] } } });
  const url = await world.listen();
  await expect(openClient(url, { origin: 'https://evil.example' })).rejects.toThrow('403');
  await expect(openClient(url, { origin: 'null' })).rejects.toThrow('403');
  await openClient(url, { origin: 'https://app.example.org' });
  await openClient(url, { origin: url });
});

test('a socket needs a key or an unused ticket', async () => {
  const world = await startWorld({ http: { keys: KEYS } });
  const url = await world.listen();
  await expect(openClient(url)).rejects.toThrow('401');
  await openClient(url, { headers: BEARER });
  const issued = await world.api.app.inject({ method: 'POST', url: '/v1/tickets', headers: BEARER });
  const path = `/v1/stream?ticket=${issued.json().ticket}`;
  await openClient(url, { path });
  await expect(openClient(url, { path })).rejects.toThrow('401');
});

test('the gauge follows the sockets', async () => {
  const world = await startWorld();
  const client = await openClient(await world.listen());
  await client.frame('hello');
  expect((await get(world, '/metrics')).body).toContain('magpie_stream_subscribers 1');
  client.socket.close();
  await waitFor(async () => (await get(world, '/metrics')).body.includes('magpie_stream_subscribers 0'), {
    what: 'it',
  });
});

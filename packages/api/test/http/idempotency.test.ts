import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { get, post, startWorld } from '../support/fixtures.ts';

const KEY = { 'idempotency-key': '"order-1"' };

test('the same key and message give the same 202 and one event', async () => {
  const world = await startWorld();
  const first = await post(world, { topic: 'a', text: '1' }, KEY);
  const second = await post(world, { topic: 'a', text: '1' }, { 'idempotency-key': 'order-1' });
  expect([first.statusCode, second.statusCode]).toEqual([202, 202]);
  expect(second.json()).toEqual(first.json());
  expect(second.headers.location).toBe(first.headers.location);
  expect((await get(world, '/v1/events?connection=http')).json().events).toHaveLength(1);
});

const TOPIC = { topic: 'a', text: '1' };
const DIRECT = { to: { connection: 'floor', channel: 'a' }, text: '1' };

test.each([
  ['body', TOPIC, { ...TOPIC, text: '2' }],
  ['form of the body', { topic: 'a', text: '{}' }, { topic: 'a', payload: {} }],
  ['topic', TOPIC, { ...TOPIC, topic: 'b' }],
  ['header', TOPIC, { ...TOPIC, headers: { a: '1' } }],
  ['content type', TOPIC, { ...TOPIC, contentType: 'text/x' }],
  ['way: a topic, then directly', TOPIC, DIRECT],
  ['way: directly, then a topic', DIRECT, TOPIC],
  ['connection', DIRECT, { ...DIRECT, to: { connection: 'yard', channel: 'a' } }],
  ['option of the target', DIRECT, { ...DIRECT, to: { ...DIRECT.to, retain: true } }],
])('the same key with another %s is refused with 422 and stores nothing', async (_, message, other) => {
  const world = await startWorld({ second: 'yard' });
  const first = await post(world, message, KEY);
  expect(first.statusCode).toBe(202);
  const response = await post(world, other, KEY);
  expect(response.statusCode).toBe(422);
  expect(response.json().detail).toContain(first.json().ref);
  expect((await get(world, '/v1/events')).json().events).toHaveLength(1);
  expect((await post(world, message, KEY)).json()).toEqual(first.json());
});

test('the order of the fields and what differs by the hour make no other message', async () => {
  const world = await startWorld();
  const first = await post(world, { topic: 'a', ttl: '1h', text: '1' }, KEY);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
  const second = await post(world, { text: '1', topic: 'a', ttl: '1h' }, { ...KEY, ...trace });
  expect([second.statusCode, second.json()]).toEqual([202, first.json()]);
});

test('a key whose request is still under way is refused with 409 and when to ask again', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const world = await startWorld({
    wrapLog: (log) => ({
      ...log,
      commit: async (change) => {
        if (change.append?.length) await held;
        return log.commit(change);
      },
    }),
  });
  const first = post(world, { topic: 'a', text: '1' }, KEY).then((response) => response);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const second = await post(world, { topic: 'a', text: '1' }, KEY);
  expect([second.statusCode, second.headers['retry-after']]).toEqual([409, '1']);
  release();
  expect((await first).statusCode).toBe(202);
  expect((await post(world, { topic: 'a', text: '1' }, KEY)).json()).toEqual((await first).json());
});

test('a key of one app says nothing about the same key of another', async () => {
  const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
  const keys = ['one', 'two'].map((id) => ({ id, hash: hashOf(id), roles: ['editor' as const], grants: [] }));
  const world = await startWorld({ http: { keys } });
  const [one, two] = [
    { ...KEY, authorization: 'Bearer one' },
    { ...KEY, authorization: 'Bearer two' },
  ];
  const first = await post(world, TOPIC, one);
  const second = await post(world, { ...TOPIC, text: '2' }, two);
  expect([first.statusCode, second.statusCode]).toEqual([202, 202]);
  expect(second.json().ref).not.toBe(first.json().ref);
});

test('nothing of what was compared is kept or shown', async () => {
  const world = await startWorld();
  await post(world, TOPIC, KEY);
  const [event] = (await get(world, '/v1/events')).json().events;
  expect(JSON.stringify(event)).not.toContain('dedupe');
});

test('a batch repeated under its key is stored once', async () => {
  const world = await startWorld();
  const batch = [
    { topic: 'a', text: 'same' },
    { topic: 'a', text: 'same' },
  ];
  const first = (await post(world, batch, KEY)).json();
  expect(new Set(first.results.map(({ ref }: { ref: string }) => ref)).size).toBe(2);
  expect((await post(world, batch, KEY)).json()).toEqual(first);
});

test.each(['""', '"open', 'x'.repeat(300)])('the key %s is refused with 400 naming the header', async (key) => {
  const response = await post(await startWorld(), { topic: 'a', text: '1' }, { 'idempotency-key': key });
  expect(response.statusCode).toBe(400);
  expect(response.json().errors[0]).toMatchObject({ in: 'header', pointer: '/idempotency-key' });
});

import { expect, test } from 'vitest';
import { get, post, startWorld } from './fixtures.ts';

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

test('the same key with another body or topic is refused with 422', async () => {
  const world = await startWorld();
  const first = await post(world, { topic: 'a', text: '1' }, KEY);
  for (const other of [
    { topic: 'a', text: '2' },
    { topic: 'b', text: '1' },
  ]) {
    const response = await post(world, other, KEY);
    expect(response.statusCode).toBe(422);
    expect(response.json().detail).toContain(first.json().ref);
  }
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

test('the same place behind another connection is another message', async () => {
  const world = await startWorld();
  const topic = await post(world, { topic: 'x', text: '1' }, KEY);
  const direct = await post(world, { to: { connection: 'floor', channel: 'x' }, text: '1' }, KEY);
  const again = await post(world, { to: { connection: 'floor', channel: 'x' }, text: '1' }, KEY);
  expect(direct.json().ref).not.toBe(topic.json().ref);
  expect(again.json()).toEqual(direct.json());
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

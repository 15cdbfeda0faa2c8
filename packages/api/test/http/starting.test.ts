import { expect, test } from 'vitest';
import { ListenFailed } from '../../src/index.ts';
import { BEARER, get, KEYS, post, startWorld } from '../support/fixtures.ts';

test('before the gateway runs its health is answered and everything else is 503', async () => {
  const world = await startWorld({ unstarted: true });
  expect((await get(world, '/livez')).statusCode).toBe(200);
  expect((await get(world, '/metrics')).statusCode).toBe(200);
  const ready = await get(world, '/readyz');
  expect(ready.statusCode).toBe(503);
  expect(ready.json()).toMatchObject({ status: 'starting' });
  for (const url of ['/v1', '/v1/events', '/v1/stream', '/v1/dead-letters']) {
    const answer = await get(world, url);
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toMatchObject({
      title: 'Unavailable',
      detail: 'The gateway is starting: try again as Retry-After says.',
    });
  }
  expect((await post(world, { topic: 'notices/a', text: 'x' })).statusCode).toBe(503);
  await world.gateway.start();
  expect((await post(world, { topic: 'notices/a', text: 'x' })).statusCode).toBe(202);
  expect((await get(world, '/v1')).statusCode).toBe(200);
});

test('who may not use the API learns nothing while it starts', async () => {
  const world = await startWorld({ unstarted: true, http: { keys: KEYS } });
  expect((await get(world, '/v1')).statusCode).toBe(401);
  expect((await get(world, '/v1', BEARER)).statusCode).toBe(503);
});

test('a port that is taken is named with what to do', async () => {
  const other = await startWorld();
  const port = Number(new URL(await other.listen()).port);
  const world = await startWorld({ http: { port } });
  await expect(world.listen()).rejects.toBeInstanceOf(ListenFailed);
  await expect(world.listen()).rejects.toThrow(
    `cannot listen on 127.0.0.1:${port}: another process uses that port; stop it, or set http.port to another one`,
  );
});

test('a host that is none of this machine is named with what to do', async () => {
  const world = await startWorld({ http: { host: '192.0.2.1', keys: KEYS } });
  await expect(world.listen()).rejects.toThrow('cannot listen on 192.0.2.1:0: that is not an address of this machine');
});

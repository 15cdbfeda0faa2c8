import { Rejected } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { get, post, startWorld } from '../support/fixtures.ts';
import { openClient } from '../support/sockets.ts';

/** Numbers that `JSON.parse` would change. */
const PAYLOAD = '{"id":1724442618569203714,"far":[1e400,0.1e-400],"long":21.300000000000001,"near":5}';

test('the numbers of a payload keep their digits on the way in, in history, status, stream and at the target', async () => {
  const world = await startWorld();
  const client = await openClient(await world.listen());
  const texts: string[] = [];
  client.socket.on('message', (data) => texts.push(String(data)));
  client.send({ type: 'subscribe', id: 's', connection: 'http' });
  const response = await post(world, `{"topic":"notices/hall","payload":${PAYLOAD}}`);
  expect(response.statusCode).toBe(202);
  const shown = `"payload":${PAYLOAD}`;
  expect((await get(world, `/v1/messages/${response.json().ref}`)).body).toContain(shown);
  expect((await get(world, '/v1/events')).body).toContain(shown);
  await waitFor(() => texts.some((text) => text.includes(shown)), { what: 'the event on the stream' });
  await waitFor(() => world.broker.seen.some(({ body }) => String(Buffer.from(body)) === PAYLOAD), {
    what: 'the body',
  });
});

test('the numbers of a body from outside are shown with the digits it has', async () => {
  const world = await startWorld();
  world.broker.publish('plant/p7', { body: Buffer.from(PAYLOAD), contentType: 'application/json' });
  await waitFor(() => world.gateway.head(), { what: 'the event' });
  expect((await get(world, '/v1/events')).body).toContain(`"payload":${PAYLOAD}`);
});

test('batches and JSON lines keep the digits of each message', async () => {
  const world = await startWorld();
  const one = `{"topic":"a","payload":${PAYLOAD}}`;
  expect((await post(world, `[${one},${one}]`)).statusCode).toBe(202);
  expect((await post(world, `${one}\n${one}`, { 'content-type': 'application/x-ndjson' })).statusCode).toBe(202);
  const { body } = await get(world, '/v1/events');
  expect(body.split(`"payload":${PAYLOAD}`)).toHaveLength(5);
});

test('a dead letter shows the digits, and an edit keeps them', async () => {
  const world = await startWorld();
  world.broker.refuseSends(1, () => new Rejected('full'));
  await post(world, `{"topic":"notices/hall","payload":${PAYLOAD}}`);
  const id = await waitFor(async () => (await get(world, '/v1/dead-letters')).json().deadLetters[0]?.id, {
    what: 'the dead letter',
  });
  const { body } = await get(world, `/v1/dead-letters/${id}`);
  expect(body.split(`"payload":${PAYLOAD}`)).toHaveLength(3);
  const retried = await world.api.app.inject({
    method: 'POST',
    url: `/v1/dead-letters/${id}/retry`,
    headers: { 'content-type': 'application/json' },
    payload: '{"payload":{"id":9223372036854775807}}',
  });
  expect(retried.statusCode).toBe(202);
  await waitFor(
    () => world.broker.seen.some((sent) => String(Buffer.from(sent.body)) === '{"id":9223372036854775807}'),
    {
      what: 'the edited body',
    },
  );
});

test.each([
  ['headers', '{"topic":"a","text":"a","headers":{"x":1724442618569203714}}', '/headers', 'many digits as text'],
  ['headers', '{"topic":"a","text":"a","headers":[["x",1e400]]}', '/headers', 'many digits as text'],
  ['priority', '{"topic":"a","text":"a","priority":1e400}', '/priority', 'expected'],
  ['to', '{"to":{"connection":"floor","channel":1e400},"text":"a"}', '/to', 'channel'],
])('a number that cannot be kept in %s is refused at its place: %s', async (_, message, pointer, detail) => {
  const response = await post(await startWorld(), message);
  expect(response.statusCode).toBe(400);
  const [error] = response.json().errors;
  expect(error.pointer).toContain(pointer);
  expect(error.detail).toContain(detail);
});

test('a text in its own charset is shown as text', async () => {
  const world = await startWorld();
  world.broker.publish('plant/p7', {
    body: Buffer.from('Tür', 'latin1'),
    contentType: 'text/plain; charset=iso-8859-1',
  });
  await waitFor(() => world.gateway.head(), { what: 'the event' });
  expect((await get(world, '/v1/events')).json().events[0].event.text).toBe('Tür');
});

import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { connectionSchema, connectionsSchema } from '../../src/resources/connections/schema.ts';
import { eventsPageSchema } from '../../src/resources/events/schema.ts';
import { get, post, startWorld, type World } from '../support/fixtures.ts';

const texts = (body: { events: { event: { text: string } }[] }) => body.events.map(({ event }) => event.text);

async function fill(world: World): Promise<void> {
  for (const text of ['1', '2', '3', '4', '5']) await post(world, { topic: `a/${text}`, text });
}

test('history is read newest first by default and oldest first after a position, page by page', async () => {
  const world = await startWorld();
  await fill(world);
  const newest = (await get(world, '/v1/events?connection=http&limit=2')).json();
  expect(eventsPageSchema.parse(newest)).toEqual(newest);
  expect(texts(newest)).toEqual(['5', '4']);
  const first = await get(world, '/v1/events?connection=http&limit=3&after=earliest');
  expect(texts(first.json())).toEqual(['1', '2', '3']);
  const link = /^<(.+)>; rel="next"$/.exec(String(first.headers.link))![1]!;
  const second = await get(world, link);
  expect(texts(second.json())).toEqual(['4', '5']);
  expect(texts((await get(world, `/v1/events?limit=2&before=${newest.next}`)).json())).toEqual(['3', '2']);
});

test('history is selected by address pattern, connection and kind', async () => {
  const world = await startWorld();
  await fill(world);
  world.broker.publish('plant/p7/alarm', { body: Buffer.from('hot') });
  await waitFor(async () => (await get(world, '/v1/events?connection=floor')).json().events.length === 1, {
    what: 'it',
  });
  expect(texts((await get(world, '/v1/events?address=topic:a/3')).json())).toEqual(['3']);
  expect(texts((await get(world, '/v1/events?connection=floor&address=plant/%2B/alarm')).json())).toEqual(['hot']);
  expect(texts((await get(world, '/v1/events?kind=presence')).json())).toEqual([]);
});

test.each([
  ['limit=0', '/limit'],
  ['limit=501', '/limit'],
  ['kind=letter', '/kind'],
  ['after=1&before=2', ''],
  ['after=garbage', '/after'],
  ['before=garbage', '/before'],
  ['address=nowhere', '/address'],
  ['connection=flor&address=a', '/address'],
  ['lmit=1', '/lmit'],
])('the query %s is refused with 400 and a pointer', async (query, pointer) => {
  const response = await get(await startWorld(), `/v1/events?${query}`);
  expect(response.statusCode).toBe(400);
  expect(response.json().errors[0]).toMatchObject({ in: 'query', pointer });
});

test('a body nested deeper than can be written again is shown as text', async () => {
  const world = await startWorld();
  const deep = '['.repeat(20_000) + ']'.repeat(20_000);
  world.broker.publish('plant/deep', { body: Buffer.from(deep) });
  await waitFor(() => world.gateway.head(), { what: 'the event' });
  const response = await get(world, '/v1/events?connection=floor');
  expect(response.statusCode).toBe(200);
  expect(texts(response.json())).toEqual([deep]);
});

test('an unknown message or connection is a 404', async () => {
  const world = await startWorld();
  expect((await get(world, '/v1/messages/nothing')).statusCode).toBe(404);
  const connection = await get(world, '/v1/connections/flor');
  expect(connection.statusCode).toBe(404);
  expect(connection.json().detail).toContain('floor');
});

test('connections show their state', async () => {
  const world = await startWorld();
  const all = (await get(world, '/v1/connections')).json();
  expect(connectionsSchema.parse(all)).toEqual(all);
  const floor = (await get(world, '/v1/connections/floor')).json();
  expect(connectionSchema.parse(floor)).toMatchObject({ name: 'floor', type: 'memory', state: 'up' });
});

test('readiness fails while a connection is down and names it', async () => {
  const world = await startWorld();
  expect((await get(world, '/readyz')).json()).toEqual({ status: 'ready', waiting: {} });
  world.broker.stop();
  await waitFor(async () => (await get(world, '/readyz')).statusCode === 503, { what: 'not ready' });
  expect((await get(world, '/readyz')).json()).toEqual({ status: 'waiting', waiting: { floor: expect.any(String) } });
  expect((await get(world, '/livez')).statusCode).toBe(200);
});

test('metrics count requests by the pattern of the path', async () => {
  const world = await startWorld();
  await get(world, '/v1/connections/floor');
  const { body, headers } = await get(world, '/metrics');
  expect(headers['content-type']).toContain('text/plain');
  expect(body).toContain('magpie_http_requests_total{method="GET",path="/v1/connections/:name",status="200"} 1');
  expect(body).toContain('magpie_stream_subscribers 0');
});

test('the entry links to everything, and the OpenAPI document describes the same', async () => {
  const world = await startWorld();
  const { gateway, version, links } = (await get(world, '/v1')).json();
  expect([gateway, version]).toEqual(['test', '1.2.3']);
  const document = (await get(world, '/v1/openapi.json')).json();
  expect(document.openapi).toBe('3.1.0');
  const described = Object.entries(document.paths).flatMap(([href, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${href}`),
  );
  expect(described.sort()).toEqual(links.map(({ method, href }: Record<string, string>) => `${method} ${href}`).sort());
  const { post: publish } = document.paths['/v1/messages'];
  expect(Object.keys(publish.responses).sort()).toEqual(
    ['202', '400', '401', '403', '409', '413', '415', '421', '422', '429', '503', '507'].sort(),
  );
  expect(Object.keys(publish.requestBody.content)).toEqual(['application/json', 'application/x-ndjson']);
  expect(document.components.schemas.MessageInput.properties.topic.description).toContain('Publish to this topic');
  expect(document.paths['/livez'].get.security).toEqual([]);
  expect(publish.requestBody.required).toBe(true);
  // What an operator changes in a dead letter may be left out.
  const { requestBody } = document.paths['/v1/dead-letters/{id}/retry'].post;
  expect(requestBody.required).toBe(false);
  expect(requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/DeadLetterEditInput' });
});

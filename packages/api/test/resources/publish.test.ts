import { Throttled } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { messageStatusSchema } from '../../src/resources/events/schema.ts';
import { get, post, startWorld } from '../support/fixtures.ts';

test('a message to a topic is answered with 202 once it is in the log, and reaches the target of its route', async () => {
  const world = await startWorld();
  const response = await post(world, { topic: 'notices/hall', text: 'hello' });
  expect(response.statusCode).toBe(202);
  const { ref, position } = response.json();
  expect(response.headers.location).toBe(`/v1/messages/${ref}`);
  expect(world.gateway.head()).toBe(position);
  await waitFor(() => world.broker.seen.some(({ channel }) => channel === 'board/notices'), { what: 'the notice' });
});

test('every field of a message arrives in the event', async () => {
  const world = await startWorld();
  const message = {
    topic: 'a/b',
    payload: { severity: 3 },
    contentEncoding: 'identity',
    id: 'mine',
    type: 'alarm',
    subject: 'pump 7',
    key: 'pump-7',
    headers: [
      ['x', '1'],
      ['x', 2],
    ],
    correlationId: 'c1',
    replyTo: 'topic:answers/7',
    priority: 7,
    retain: true,
    expiresAt: '2099-01-01T00:00:00.000Z',
    time: '2026-01-01T01:00:00+01:00',
  };
  const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const headers = { traceparent: trace, tracestate: 'v=1', 'magpie-via': 'one, two' };
  const { ref } = (await post(world, message, headers)).json();
  const { event } = (await get(world, `/v1/messages/${ref}`)).json();
  const { topic: _, time: __, ...same } = message;
  expect(event).toMatchObject({ ...same, source: 'http', address: 'topic:a/b', kind: 'message' });
  expect(event).toMatchObject({ time: '2026-01-01T00:00:00.000Z', traceparent: trace, tracestate: 'v=1' });
  expect(event).toMatchObject({ via: ['one', 'two'], contentType: 'application/json' });
  expect(event.origin).toEqual({ remoteAddress: '127.0.0.1' });
});

test('a direct message goes to the named connection and its status shows the confirmation', async () => {
  const world = await startWorld();
  const direct = { to: { connection: 'floor', channel: 'set/p7' }, base64: 'AAH/', ttl: '30s', retain: true };
  const { ref } = (await post(world, direct, { 'magpie-via': 'other' })).json();
  const status = await waitFor(
    async () => {
      const response = (await get(world, `/v1/messages/${ref}`)).json();
      return response.targets[0]?.state === 'confirmed' && response;
    },
    { what: 'the confirmation' },
  );
  expect(messageStatusSchema.parse(status)).toEqual(status);
  expect(status.event).toMatchObject({ base64: 'AAH/', retain: true, via: ['other'] });
  expect(Date.parse(status.event.expiresAt) - Date.parse(status.event.time)).toBe(30_000);
  expect(world.broker.seen[0]?.channel).toBe('set/p7');
});

test.each([
  ['neither topic nor to', { text: 'a' }, '', 'exactly one of topic and to'],
  ['both topic and to', { topic: 'a', to: { connection: 'floor' }, text: 'a' }, '', 'exactly one of topic and to'],
  ['no body', { topic: 'a' }, '', 'exactly one of payload, text and base64'],
  ['two bodies', { topic: 'a', text: 'a', payload: 1 }, '', 'exactly one of payload, text and base64'],
  [
    'ttl and expiresAt',
    { topic: 'a', text: 'a', ttl: '1s', expiresAt: '2099-01-01T00:00:00Z' },
    '',
    'ttl and expiresAt',
  ],
  ['an unknown field', { topic: 'a', text: 'a', tpoic: 'b' }, '/tpoic', 'did you mean "topic"?'],
  ['a wildcard', { topic: 'a/+', text: 'a' }, '/topic', 'wildcard'],
  ['a NUL', { topic: 'a\0', text: 'a' }, '/topic', 'NUL'],
  ['a topic of 65,536 bytes', { topic: 'a'.repeat(65_536), text: 'a' }, '/topic', '65536 bytes'],
  ['a bad duration', { topic: 'a', text: 'a', ttl: 'soon' }, '/ttl', 'a duration such as'],
  ['a bad time', { topic: 'a', text: 'a', time: 'noon' }, '/time', 'RFC 3339'],
  ['a bad replyTo', { topic: 'a', text: 'a', replyTo: 'nowhere' }, '/replyTo', 'not an address'],
  ['bad base64', { topic: 'a', base64: '!' }, '/base64', 'base64'],
  ['a priority of 10', { topic: 'a', text: 'a', priority: 10 }, '/priority', '9'],
  ['an object as header value', { topic: 'a', text: 'a', headers: { x: {} } }, '/headers', 'plain values'],
  ['an unknown connection', { to: { connection: 'flor', channel: 'a' }, text: 'a' }, '/to', 'flor'],
  ['a target on the connection http', { to: { connection: 'http', topic: 'a' }, text: 'a' }, '/to', 'http'],
  ['text instead of an object', '"text"', '', 'expected a mapping, got "text"'],
])('%s is refused with 400 and a pointer', async (_, message, pointer, detail) => {
  const world = await startWorld();
  const response = await post(world, message);
  expect(response.statusCode).toBe(400);
  expect(response.headers['content-type']).toContain('application/problem+json');
  const [first] = response.json().errors;
  expect(first).toMatchObject({ in: 'body', pointer });
  expect(first.detail).toContain(detail);
  expect(world.gateway.head()).toBeUndefined();
});

test('a body above the limit is refused with 413, whether it is counted by the framework or by the gateway', async () => {
  const world = await startWorld({ maxBodyBytes: 1000 });
  expect((await post(world, { topic: 'a', text: 'x'.repeat(1001) })).statusCode).toBe(413);
  expect((await post(world, { topic: 'a', text: 'x'.repeat(100_000) })).statusCode).toBe(413);
  expect((await post(world, { topic: 'a', text: 'x'.repeat(1000) })).statusCode).toBe(202);
});

test('a full disk is answered with 507 and Retry-After', async () => {
  const full = (): Promise<never> => Promise.reject(new Throttled('the disk is full', 2500));
  const world = await startWorld({
    wrapLog: (log) => ({ ...log, commit: (change) => (change.append ? full() : log.commit(change)) }),
  });
  const response = await post(world, { topic: 'a', text: 'x' });
  expect(response.statusCode).toBe(507);
  expect(response.headers['retry-after']).toBe('3');
});

test('a full backlog is answered with 429 and Retry-After, and shown as what holds intake', async () => {
  const to = [{ connection: 'floor', channel: 'board', backlog: { bytes: '1KiB' } }];
  const world = await startWorld({ routes: { notices: { from: { connection: 'http', topic: 'notices/#' }, to } } });
  world.broker.stop();
  const full = await waitFor(
    async () => {
      const response = await post(world, { topic: 'notices/hall', text: 'x'.repeat(400) });
      return response.statusCode !== 202 && response;
    },
    { what: 'the backlog to be full' },
  );
  expect(full.statusCode).toBe(429);
  expect(full.headers['retry-after']).toBe('1');
  expect(full.json()).toMatchObject({ title: 'Too many requests', detail: expect.stringContaining('the backlog of') });
  const { state, holds } = (await get(world, '/v1')).json();
  expect([state, holds]).toEqual(['running', [expect.stringContaining('the backlog of notices/floor')]]);
});

test('a draining gateway takes no messages and is not ready, but alive', async () => {
  const world = await startWorld();
  await world.gateway.drain(AbortSignal.timeout(500));
  const response = await post(world, { topic: 'a', text: 'x' });
  expect(response.statusCode).toBe(503);
  expect(response.headers['retry-after']).toBe('1');
  expect((await get(world, '/readyz')).statusCode).toBe(503);
  expect((await get(world, '/livez')).statusCode).toBe(200);
});

test('each message of a batch has its own result', async () => {
  const world = await startWorld();
  const response = await post(world, [{ topic: 'a', text: '1' }, { topic: 'a' }, { topic: 'b', payload: null }]);
  expect(response.statusCode).toBe(202);
  const { results } = response.json();
  expect(results.map((result: object) => Object.keys(result))).toEqual([
    ['ref', 'position'],
    ['problem'],
    ['ref', 'position'],
  ]);
  expect(results[1].problem).toMatchObject({ status: 400, errors: [{ in: 'body', pointer: '' }] });
});

test('JSON lines are a batch; a line that is no JSON is named', async () => {
  const world = await startWorld();
  const type = { 'content-type': 'application/x-ndjson' };
  const good = await post(world, '{"topic":"a","text":"1"}\n\n{"topic":"a","text":"2"}\n', type);
  expect(good.json().results).toHaveLength(2);
  const bad = await post(world, '{"topic":"a","text":"1"}\n\n{"topic"', type);
  expect(bad.statusCode).toBe(400);
  expect(bad.json().detail).toMatch(/^Line 3: Expected JSON/);
});

test('a message that no route would ever take is refused, not kept for nobody', async () => {
  const world = await startWorld();
  const message = { topic: 'app/x', text: 'again' };
  for (const via of [world.gateway.id, 'g1,g2,g3,g4,g5,g6,g7,g8,g9']) {
    const answer = await post(world, message, { 'magpie-via': via });
    expect(answer.statusCode, via).toBe(422);
    expect(answer.json().detail).toContain('no route accepts it');
  }
  expect(await world.log.stats()).toMatchObject({ events: 0 });
});

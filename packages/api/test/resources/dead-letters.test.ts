import { newRef, Rejected } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { expect, test } from 'vitest';
import { deadLetterSchema, deadLettersSchema } from '../../src/resources/dead-letters/schema.ts';
import { get, post, startWorld, type World } from '../support/fixtures.ts';

const CONSUMER = 'notices/floor/channel:board/notices';

/** Makes dead letters of the notices with these texts; resolves to their ids, oldest first. */
async function kill(world: World, ...texts: readonly string[]): Promise<readonly string[]> {
  world.broker.refuseSends(texts.length, () => new Rejected('the board is full'));
  for (const text of texts) await post(world, { topic: 'notices/hall', text, headers: { x: '1' } });
  return waitFor(
    async () => {
      const ids = (await letters(world)).map(({ id }) => id);
      return ids.length === texts.length && ids;
    },
    { what: 'the dead letters' },
  );
}

const letters = async (world: World, query = ''): Promise<readonly { id: string; ref: string }[]> =>
  (await get(world, `/v1/dead-letters${query}`)).json().deadLetters;

const act = ({ api }: World, method: 'POST' | 'DELETE', url: string, payload?: object) =>
  api.app.inject({ method, url, ...(payload ? { payload } : {}) });

const shown = ({ broker }: World) => broker.seen.map(({ body }) => Buffer.from(body).toString());

test('dead letters are listed oldest first, page by page', async () => {
  const world = await startWorld();
  const ids = await kill(world, 'a', 'b', 'c');
  const first = await get(world, '/v1/dead-letters?limit=2');
  expect(deadLettersSchema.parse(first.json())).toEqual(first.json());
  expect(first.json().deadLetters.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
  expect(first.json().next).toBe(ids[1]);
  const link = /^<(.+)>; rel="next"$/.exec(String(first.headers.link))![1]!;
  const second = (await get(world, link)).json();
  expect(second.deadLetters.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2));
  expect(second.next).toBeUndefined();
});

test('dead letters are selected by target and reason', async () => {
  const world = await startWorld();
  await kill(world, 'a');
  expect(await letters(world, `?consumer=${encodeURIComponent(CONSUMER)}&reason=rejected`)).toHaveLength(1);
  expect(await letters(world, '?consumer=other/target')).toEqual([]);
  expect(await letters(world, '?reason=loop')).toEqual([]);
  expect((await get(world, '/v1/dead-letters?reason=bored')).json().errors[0]).toMatchObject({ pointer: '/reason' });
});

test('dead letters are selected by time, source and event, for a list and for what is done to them', async () => {
  const world = await startWorld();
  await kill(world, 'a', 'b');
  const [{ ref, at, source }] = (await get(world, '/v1/dead-letters')).json().deadLetters;
  const later = new Date(Date.parse(at) + 60_000).toISOString();
  const count = async (query: string) => (await letters(world, query)).length;
  expect(await count(`?ref=${ref}`)).toBe(1);
  expect(await count(`?source=${source}`)).toBe(2);
  expect(await count('?source=floor')).toBe(0);
  expect(await count(`?since=${at}&until=${later}`)).toBe(2);
  expect([await count(`?until=${at}`), await count(`?since=${later}`)]).toEqual([0, 0]);
  expect(await count(`?since=${encodeURIComponent(at.replace('Z', '+00:00'))}`)).toBe(2);
  expect((await act(world, 'POST', '/v1/dead-letters/drop', { since: later })).json()).toEqual({ dropped: 0 });
  expect((await act(world, 'POST', '/v1/dead-letters/drop', { ref })).json()).toEqual({ dropped: 1 });
  expect((await get(world, '/v1/dead-letters?since=monday')).json().errors).toEqual([
    { in: 'query', pointer: '/since', detail: 'expected a time such as 2026-01-31T08:00:00Z, got "monday"' },
  ]);
});

test('a page that is short only to save memory says where to go on', async () => {
  let most = 100;
  const world = await startWorld({
    wrapLog: (log) => ({
      ...log,
      deadLetters: (query) => log.deadLetters({ ...query, limit: Math.min(query.limit, most) }),
    }),
  });
  const ids = await kill(world, 'a', 'b');
  most = 1;
  const first = (await get(world, '/v1/dead-letters?limit=10')).json();
  const second = (await get(world, `/v1/dead-letters?limit=10&after=${first.next}`)).json();
  expect([first, second].map(({ deadLetters: [letter], next }) => [letter.id, next])).toEqual([
    [ids[0], ids[0]],
    [ids[1], undefined],
  ]);
});

test('a retry of several says how many have no target any more, and how many it has before it', async () => {
  const world = await startWorld();
  await kill(world, 'a', 'b', 'c');
  const [kept] = await world.log.deadLetters({ limit: 1 });
  await world.log.commit({ deadLetters: { put: [{ ...kept!, id: newRef(), consumer: 'notices/gone' }] } });
  expect((await act(world, 'POST', '/v1/dead-letters/retry', { rate: 0.1 })).json()).toEqual({
    matched: 4,
    skipped: 1,
  });
  await waitFor(async () => (await get(world, '/v1/dead-letters')).json().retrying === 2, { what: 'the first retry' });
});

test('a dead letter shows why, the attempts, the event and the message as it was sent', async () => {
  const world = await startWorld();
  const [id] = await kill(world, 'hello');
  const letter = (await get(world, `/v1/dead-letters/${id}`)).json();
  expect(deadLetterSchema.parse(letter)).toEqual(letter);
  expect(letter).toMatchObject({
    id,
    consumer: CONSUMER,
    reason: 'rejected',
    error: 'Rejected',
    message: 'the board is full',
    attempts: [{ at: expect.stringMatching(/T.*Z$/), error: 'Rejected', message: 'the board is full' }],
    source: 'http',
    address: 'topic:notices/hall',
    event: { text: 'hello', headers: [['x', '1']], address: 'topic:notices/hall' },
    rendered: { to: 'channel:board/notices', options: { channel: 'board/notices' }, text: 'hello' },
  });
  const target = await waitFor(
    async () => {
      const [only] = (await get(world, `/v1/messages/${letter.ref}`)).json().targets;
      return only.state === 'dead' && only;
    },
    { what: 'the outcome' },
  );
  expect(target).toMatchObject({ consumer: CONSUMER, attempts: 1, error: 'the board is full' });
});

test('a dead letter is tried again, as it was or changed, and is gone', async () => {
  const world = await startWorld();
  const [plain, changed] = await kill(world, 'one', 'two');
  const answer = await act(world, 'POST', `/v1/dead-letters/${plain}/retry`);
  expect([answer.statusCode, answer.json().id]).toEqual([202, plain]);
  expect(answer.headers.location).toBe(`/v1/messages/${answer.json().ref}`);
  await act(world, 'POST', `/v1/dead-letters/${changed}/retry`, { text: 'mended', headers: { y: '2' } });
  await waitFor(() => shown(world).length === 2, { what: 'both' });
  expect(shown(world)).toEqual(['one', 'mended']);
  expect(world.broker.seen[1]?.properties.headers).toContainEqual(['y', '2']);
  expect(await letters(world)).toEqual([]);
});

test('all that fit are tried again in the background', async () => {
  const world = await startWorld();
  await kill(world, 'a', 'b', 'c');
  const none = await act(world, 'POST', '/v1/dead-letters/retry', { reason: 'age' });
  expect([none.statusCode, none.json()]).toEqual([202, { matched: 0, skipped: 0 }]);
  const all = await act(world, 'POST', '/v1/dead-letters/retry', { consumer: CONSUMER, rate: 1000 });
  expect(all.json()).toEqual({ matched: 3, skipped: 0 });
  await waitFor(() => shown(world).length === 3, { what: 'all three' });
});

test('dead letters are dropped one by one or all that fit', async () => {
  const world = await startWorld();
  const [first] = await kill(world, 'a', 'b', 'c');
  expect((await act(world, 'DELETE', `/v1/dead-letters/${first}`)).statusCode).toBe(204);
  expect((await act(world, 'DELETE', `/v1/dead-letters/${first}`)).statusCode).toBe(404);
  expect((await act(world, 'POST', '/v1/dead-letters/drop', { reason: 'age' })).json()).toEqual({ dropped: 0 });
  expect((await act(world, 'POST', '/v1/dead-letters/drop', {})).json()).toEqual({ dropped: 2 });
  expect(await letters(world)).toEqual([]);
  expect(shown(world)).toEqual([]);
});

test.each([
  ['retry', { rate: 0 }, '/rate'],
  ['retry', { rate: 1001 }, '/rate'],
  ['retry', { reason: 'bored' }, '/reason'],
  ['drop', { rate: 1 }, '/rate'],
  ['some-id/retry', { text: 'a', payload: 1 }, ''],
  ['some-id/retry', { headers: { x: {} } }, '/headers'],
])('%s with %j is refused with 400 and a pointer', async (path, body, pointer) => {
  const response = await act(await startWorld(), 'POST', `/v1/dead-letters/${path}`, body);
  expect(response.statusCode).toBe(400);
  expect(response.json().errors[0]).toMatchObject({ in: 'body', pointer });
});

test('dropping or retrying everything must be said: without a body it is refused', async () => {
  const world = await startWorld();
  await kill(world, 'a');
  for (const path of ['drop', 'retry']) {
    expect((await act(world, 'POST', `/v1/dead-letters/${path}`)).statusCode).toBe(400);
  }
  expect(await letters(world)).toHaveLength(1);
});

test('an unknown dead letter is a 404', async () => {
  const world = await startWorld();
  expect((await get(world, '/v1/dead-letters/nothing')).statusCode).toBe(404);
  expect((await act(world, 'POST', '/v1/dead-letters/nothing/retry')).statusCode).toBe(404);
});

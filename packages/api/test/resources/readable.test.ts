import type { EventLog, StoredEvent } from '@magpie/bus';
import { newRef, Rejected } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deadLetterSchema, deadLettersSchema } from '../../src/resources/dead-letters/schema.ts';
import { eventsPageSchema, messageStatusSchema } from '../../src/resources/events/schema.ts';
import { get, post, startWorld, type World } from '../support/fixtures.ts';
import { openClient } from '../support/sockets.ts';

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.string({ maxLength: 30 }));
const digits = fc.oneof(
  fc.nat().map(String),
  fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String),
  fc.constantFrom('999999999999', '9'.repeat(400), '1e300', '0.1', '8640000000000000'),
);
const duration = fc.tuple(digits, fc.constantFrom('ms', 's', 'm', 'h', 'd')).map(([count, unit]) => `${count}${unit}`);
const instant = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    '0000-01-01T00:00:00+23:59',
    '9999-12-31T23:59:59-23:59',
    '0001-01-01T00:00:00Z',
    '1969-01-01T00:00:00Z',
  ),
);
const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
const header = fc.oneof(text, fc.double(), fc.boolean(), fc.constant(null));
/** Any value of each field, right or wrong. */
const fields = fc.record({
  topic: fc.oneof(
    fc.constant('notices/hall'),
    text.map((part) => `notices/${part}`),
  ),
  ttl: duration,
  time: instant,
  key: text,
  id: text,
  type: text,
  subject: text,
  contentType: fc.oneof(text, fc.constantFrom('application/json', 'text/plain; charset=utf-16')),
  correlationId: text,
  replyTo: text.map((part) => `topic:${part}`),
  headers: fc.oneof(fc.dictionary(name, header), fc.array(fc.tuple(name, header), { maxLength: 3 })),
  priority: fc.integer({ min: 0, max: 9 }),
  expiresAt: instant,
});
const FIELDS = [
  'topic',
  'ttl',
  'time',
  'key',
  'id',
  'type',
  'subject',
  'contentType',
  'correlationId',
  'replyTo',
  'headers',
];
const body = fc.oneof(
  text.map((each) => ({ text: each })),
  fc.jsonValue().map((payload) => ({ payload })),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => ({ base64: Buffer.from(bytes).toString('base64') })),
);
/** Any message, with up to three fields besides its topic and body, some of them with what no schema takes. */
const message = fc
  .tuple(fields, body, fc.shuffledSubarray([...FIELDS, 'priority', 'expiresAt'], { maxLength: 3 }))
  .map(([all, form, chosen]) => ({
    topic: 'notices/hall',
    ...Object.fromEntries(Object.entries(all).filter(([key]) => chosen.includes(key))),
    ...form,
  }));

const refuseAll = (world: World): void => world.broker.refuseSends(10_000, () => new Rejected('the board is full'));

/** Reads all pages of a list. */
async function pages(world: World, url: string, names: readonly ['events' | 'deadLetters', string]) {
  const [list, cursor] = names;
  const all: unknown[] = [];
  for (let next: string | undefined = ''; next !== undefined; ) {
    const response = await get(world, `${url}${next && `&${cursor}=${next}`}`);
    expect(response.statusCode).toBe(200);
    const page = response.json();
    (list === 'events' ? eventsPageSchema : deadLettersSchema).parse(page);
    all.push(...page[list]);
    next = page.next;
  }
  return all as { readonly id: string; readonly event: { readonly ref: string; readonly unreadable?: string } }[];
}

test('whatever is accepted can be read by history, status, stream and dead letters', { timeout: 60_000 }, async () => {
  const world = await startWorld();
  refuseAll(world);
  const accepted: string[] = [];
  await fc.assert(
    fc.asyncProperty(message, async (each) => {
      const response = await post(world, each);
      expect([202, 400, 413]).toContain(response.statusCode);
      if (response.statusCode !== 202) return;
      const { ref } = response.json();
      accepted.push(ref);
      const status = await get(world, `/v1/messages/${ref}`);
      expect(status.statusCode).toBe(200);
      expect(messageStatusSchema.parse(status.json()).event.unreadable).toBeUndefined();
    }),
    { numRuns: 300 },
  );
  expect(accepted.length).toBeGreaterThan(50);
  const events = await pages(world, '/v1/events?connection=http', ['events', 'before']);
  expect(events.map(({ event }) => event.ref).toReversed()).toEqual(accepted);
  const client = await openClient(await world.listen());
  client.send({ type: 'subscribe', id: 's', connection: 'http', after: 'earliest' });
  await waitFor(() => client.texts().length === accepted.length, { what: 'all events on the stream' });
  const letters = await pages(world, '/v1/dead-letters?limit=50', ['deadLetters', 'after']);
  for (const { id } of letters) deadLetterSchema.parse((await get(world, `/v1/dead-letters/${id}`)).json());
});

/** Makes the events of a log worse than any that is accepted now, as an earlier version may have left them. */
const damaged =
  (spoil: (event: StoredEvent['event']) => StoredEvent['event']) =>
  (log: EventLog): EventLog => {
    const spoiled = (stored: StoredEvent): StoredEvent =>
      Buffer.from(stored.event.body).includes('poison') ? { ...stored, event: spoil(stored.event) } : stored;
    return {
      ...log,
      read: async (...query) => (await log.read(...query)).map(spoiled),
      search: async (query) => {
        const found = await log.search(query);
        return { ...found, events: found.events.map(spoiled) };
      },
      find: async (ref) => {
        const stored = await log.find(ref);
        return stored && spoiled(stored);
      },
      deadLetter: async (id) => {
        const letter = await log.deadLetter(id);
        return letter && { ...letter, event: spoil(letter.event) };
      },
      deadLetters: async (query) =>
        (await log.deadLetters(query)).map((each) => ({ ...each, event: spoil(each.event) })),
    };
  };

test.each<[string, (event: StoredEvent['event']) => StoredEvent['event']]>([
  ['a time that no calendar has', (event) => ({ ...event, time: 1e300, expiresAt: Number.POSITIVE_INFINITY })],
  ['a number that JSON does not know', (event) => ({ ...event, origin: { count: 1n } })],
  ['an address that cannot be encoded', (event) => ({ ...event, address: { scheme: 'gone', segments: ['\ud800'] } })],
  ['no headers where there must be some', (event) => ({ ...event, headers: null as unknown as [] })],
])('an event with %s does not keep the others from being read', async (_, spoil) => {
  const world = await startWorld({ wrapLog: damaged(spoil) });
  world.broker.refuseSends(1, () => new Rejected('the board is full'));
  const posted: string[] = [];
  for (const each of ['before', 'poison', 'after']) {
    posted.push((await post(world, { topic: each === 'poison' ? 'notices/a' : 'a', text: each })).json().ref);
  }
  const { events } = eventsPageSchema.parse((await get(world, '/v1/events')).json());
  expect(events.map(({ event }) => event.ref).toReversed()).toEqual(posted);
  expect(events.map(({ event }) => event.text)[0]).toBe('after');
  messageStatusSchema.parse((await get(world, `/v1/messages/${posted[1]}`)).json());
  const id = await waitFor(async () => (await get(world, '/v1/dead-letters')).json().deadLetters[0]?.id, {
    what: 'the dead letter',
  });
  deadLetterSchema.parse((await get(world, `/v1/dead-letters/${id}`)).json());
  const client = await openClient(await world.listen());
  client.send({ type: 'subscribe', id: 's', connection: 'http', after: 'earliest' });
  await waitFor(() => client.texts().at(-1) === 'after', { what: 'the last event' });
  expect(client.texts()).toHaveLength(3);
});

test('a sender whose units are out of range gets no event with a time that cannot be written', async () => {
  const world = await startWorld();
  world.broker.publish('plant/a', { body: Buffer.from('x'), time: 1e300, expiresAt: Number.POSITIVE_INFINITY });
  const [{ event }] = await waitFor(
    async () => {
      const { events } = (await get(world, '/v1/events?connection=floor')).json();
      return events.length > 0 && events;
    },
    { what: 'the event' },
  );
  expect(event.expiresAt).toBeUndefined();
  expect(event.time).toBe(event.receivedAt);
});

test.each([
  [{ ttl: '999999999999d' }, '/ttl'],
  [{ expiresAt: '9999-12-31T23:59:59-23:59' }, '/expiresAt'],
  [{ time: '0000-01-01T00:00:00Z' }, '/time'],
])('a message with %o is refused with the pointer', async (fields, pointer) => {
  const response = await post(await startWorld(), { topic: 'a', text: newRef(), ...fields });
  expect([response.statusCode, response.json().errors[0].pointer]).toEqual([400, pointer]);
});

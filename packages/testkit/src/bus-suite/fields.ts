import { randomBytes } from 'node:crypto';
import { EVENT_KINDS, type Event, type HeaderValue, newRef } from '@magpie/contract';
import fc from 'fast-check';
import { expect } from 'vitest';
import { appendAll, type BusCases, firstOf, plain, testEvent } from './bench.ts';

const text = () => fc.string({ unit: 'binary', maxLength: 40 });
const bytes = () => fc.uint8Array({ maxLength: 200 });

const headerValue = fc.letrec<{ value: HeaderValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    text(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    bytes(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text(), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)));
const address = fc.record({ scheme: text(), segments: fc.array(text(), { maxLength: 5 }) });
const time = fc.integer({ min: 0, max: 8.64e15 });

const anyEvent: fc.Arbitrary<Event> = fc
  .record(
    {
      source: text(),
      address,
      kind: fc.constantFrom(...EVENT_KINDS),
      key: text(),
      time,
      body: bytes(),
      headers: fc.array(fc.tuple(text(), headerValue), { maxLength: 5 }),
      via: fc.array(text(), { maxLength: 3 }),
      origin: fc.dictionary(text(), json, { maxKeys: 4, noNullPrototype: true }),
      id: text(),
      type: text(),
      subject: text(),
      contentType: text(),
      contentEncoding: text(),
      correlationId: text(),
      replyTo: address,
      priority: fc.nat(9),
      retain: fc.boolean(),
      redelivered: fc.boolean(),
      trace: fc.record({ traceparent: text(), tracestate: text() }, { requiredKeys: ['traceparent'] }),
      expiresAt: time,
      dedupeKey: fc.uuid(),
      dedupe: fc.constantFrom('always', 'redelivered'),
    },
    { requiredKeys: ['source', 'address', 'kind', 'key', 'time', 'body', 'headers', 'via', 'origin'] },
  )
  .map((parts) => ({ ...parts, ref: newRef(), receivedAt: 1000 }));

/** Events come back exactly as they went in. */
export const fieldCases: BusCases = {
  'every field of an event survives, whatever it holds': async (bench) => {
    const log = await bench.open();
    let from = log.head();
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 10 }), async (events) => {
        await appendAll(log, events);
        const stored = await log.read(from, events.length);
        from = log.head();
        expect(stored.map(({ event }) => plain(event))).toEqual(events.map(plain));
      }),
      { numRuns: 60 },
    );
  },

  'a body of 16 MiB and an empty one survive': async (bench) => {
    const log = await bench.open();
    const bodies = [randomBytes(16 * 1024 * 1024), new Uint8Array(0), randomBytes(5 * 1024 * 1024)];
    const events = bodies.map((body) => testEvent({ body }));
    await Promise.all(events.map((event) => appendAll(log, [event])));
    const reopened = await bench.reopen();
    let from: Parameters<typeof log.read>[0];
    for (const event of events) {
      const stored = firstOf(await reopened.read(from, 1));
      expect(Buffer.compare(stored.event.body, event.body)).toBe(0);
      from = stored.position;
    }
    expect((await reopened.find(events[0]!.ref))?.event.body.byteLength).toBe(16 * 1024 * 1024);
  },

  'reading many large events returns them in pages, none left out': async ({ open }) => {
    const log = await open();
    const events = Array.from({ length: 12 }, () => testEvent({ body: new Uint8Array(8 * 1024 * 1024) }));
    for (const event of events) await appendAll(log, [event]);
    const refs: string[] = [];
    for (
      let page = await log.read(undefined, 100);
      page.length > 0;
      page = await log.read(page.at(-1)!.position, 100)
    ) {
      refs.push(...page.map(({ event }) => event.ref));
    }
    expect(refs).toEqual(events.map(({ ref }) => ref));
  },
};

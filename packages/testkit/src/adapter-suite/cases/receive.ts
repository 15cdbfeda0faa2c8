import { setTimeout as sleep } from 'node:timers/promises';
import { HOP_LIMIT, type ReceivedEvent, type Sink } from '@magpie/contract';
import { expect } from 'vitest';
import type { Bench, CaseGroup } from '../bench.ts';
import type { Keys, PeerMessage } from '../fixture.ts';
import { addressOf, sourceRequest } from '../requests.ts';
import { BAD_TRACEPARENTS, BODIES, FOREIGN_ADDRESS, HEADERS, TRACE } from '../samples.ts';
import { heldSink, recordingSink } from '../sinks.ts';

/** What comes in, and that nothing of it changes on the way. */
export const receiveCases = {
  'receive-bodies': {
    title: 'receives binary, empty, large and unicode bodies byte for byte, in order',
    async run(bench) {
      const got = recordingSink();
      await bench.receiving(got.sink);
      for (const body of BODIES) await bench.site.peer.publish({ body });
      await bench.until(`${BODIES.length} messages received`, () => got.events.length >= BODIES.length);
      expect(got.events.map(({ body }) => Buffer.from(body))).toEqual(BODIES.map((body) => Buffer.from(body)));
    },
  },
  'receive-address': {
    title:
      'says where a message came from, of kind message, with its protocol facts as the origin schema describes them',
    async run(bench) {
      const event = await receiveOne(bench, { body: Buffer.from('where') });
      const { pattern } = sourceRequest(bench.suite.definition, bench.site.source);
      const { definition } = bench.suite;
      expect(event.kind).toBe('message');
      expect(event.address.scheme).toBe(pattern.scheme);
      const scheme = definition.addresses.find((known: { scheme: string }) => known.scheme === event.address.scheme);
      expect(scheme?.check(event.address.segments)).toBeUndefined();
      expect(definition.originSchema.parse(event.origin)).toEqual(event.origin);
      expect(JSON.parse(JSON.stringify(event.origin))).toEqual(event.origin);
    },
  },
  'held-place': {
    title: 'goes on receiving from one place while the gateway holds back another, and names the place of each batch',
    async run(bench) {
      const { suite, site } = bench;
      const [held, free] = [heldSink(), recordingSink()];
      const placeOf = (keys: Keys): string | undefined =>
        suite.definition.placeOf?.(sourceRequest(suite.definition, keys).options);
      const [first, other] = [placeOf(site.source), placeOf(site.otherSource)];
      expect(typeof first).toBe('string');
      expect(first).not.toBe(other);
      const link = await bench.connected();
      const sink: Sink = (batch, place) => {
        expect([first, other]).toContain(place);
        return place === first ? held.sink(batch) : free.sink(batch);
      };
      await link.receive(sink, [site.source, site.otherSource]);
      const texts = Array.from({ length: 3 * suite.limits.receiveWindow }, (_, index) => `m${index}`);
      await bench.publish(...texts);
      await bench.until('the held place is at the sink', () => held.events.length > 0);
      for (const text of texts) await site.peer.publish({ body: Buffer.from(text) }, 'other');
      await bench.until('all of the other place arrives', () => free.events.length >= texts.length);
      expect(free.texts()).toEqual(texts);
      expect(held.events.length).toBeLessThan(texts.length);
      held.open();
      await bench.until('the held place goes on', () => held.events.length >= texts.length);
      expect(held.texts()).toEqual(texts);
    },
  },
  'receive-time': {
    title: 'says no other time of a message without a time of its own than that of its arrival',
    async run(bench) {
      const event = await receiveOne(bench, { body: Buffer.from('when') });
      expect(Math.abs((event.time ?? Date.now()) - Date.now())).toBeLessThan(bench.deadline);
    },
  },
  'receive-headers': {
    title: 'receives every header, in order, with unicode and empty values',
    async run(bench) {
      const event = await receiveOne(bench, { body: Buffer.from('h'), headers: HEADERS });
      expect(event.headers).toEqual(HEADERS);
    },
  },
  'receive-id': {
    title: 'receives the sender’s message id',
    run: (bench) => receivesSame(bench, { id: 'message-0815' }),
  },
  'receive-correlation': {
    title: 'receives the correlation id',
    run: (bench) => receivesSame(bench, { correlationId: 'request-4711/ü' }),
  },
  'receive-reply-to': {
    title: 'receives the reply address',
    run: (bench) => receivesSame(bench, { replyTo: addressOf(bench.suite.definition, bench.site.target) }),
  },
  'receive-foreign-reply-to': {
    title: 'receives a reply address of another protocol, in the text form that all protocols share',
    run: (bench) => receivesSame(bench, { replyTo: FOREIGN_ADDRESS }),
  },
  'receive-trace': {
    title: 'receives the trace a message belongs to, and none that is malformed',
    async run(bench) {
      const got = recordingSink();
      await bench.receiving(got.sink);
      const parents = [TRACE.traceparent, ...BAD_TRACEPARENTS];
      for (const traceparent of parents) {
        await bench.site.peer.publish({ body: Buffer.from(traceparent), trace: { ...TRACE, traceparent } });
      }
      await bench.until('all are received', () => got.events.length >= parents.length);
      expect(got.texts()).toEqual(parents);
      expect(got.events.map(({ trace }) => trace)).toEqual([TRACE, ...BAD_TRACEPARENTS.map(() => undefined)]);
    },
  },
  'receive-via': {
    title: 'receives the gateways a message has passed, as many as count and no more',
    async run(bench) {
      const got = recordingSink();
      await bench.receiving(got.sink);
      const via = Array.from({ length: 40 }, (_, index) => `gateway-${index}`);
      for (const ids of [via.slice(0, 2), via]) {
        await bench.site.peer.publish({ body: Buffer.from('v'), via: ids });
      }
      await bench.until('both are received', () => got.events.length >= 2);
      expect(got.events.map((event) => event.via)).toEqual([via.slice(0, 2), via.slice(0, HOP_LIMIT)]);
    },
  },
  'receive-content-type': {
    title: 'receives the content type',
    run: (bench) => receivesSame(bench, { contentType: 'application/json; charset=utf-8' }),
  },
  'receive-expiry': {
    title: 'receives the expiry as an absolute time',
    async run(bench) {
      const expiresAt = Date.now() + 90_000;
      const event = await receiveOne(bench, { body: Buffer.from('e'), expiresAt });
      const tolerance = bench.suite.limits.expiryTolerance ?? 2_000;
      expect(Math.abs((event.expiresAt ?? 0) - expiresAt)).toBeLessThanOrEqual(tolerance);
    },
  },
  'receive-replaces': {
    title: 'receives from another set of sources when asked again, and no more from the former one',
    async run(bench) {
      const got = recordingSink();
      const link = await bench.receiving(got.sink);
      await bench.publish('first');
      await bench.until('the first source is received', () => got.texts().includes('first'));
      await link.receive(got.sink, [bench.site.otherSource]);
      await bench.publish('unwanted');
      await bench.site.peer.publish({ body: Buffer.from('second') }, 'other');
      await bench.until('the other source is received', () => got.texts().includes('second'));
      await sleep(100);
      expect(got.texts()).toEqual(['first', 'second']);
    },
  },
  'receive-both': {
    title: 'receives from several sources at once, each message once',
    async run(bench) {
      const got = recordingSink();
      const link = await bench.connected();
      await link.receive(got.sink, [bench.site.source, bench.site.otherSource]);
      await bench.publish('first');
      await bench.site.peer.publish({ body: Buffer.from('second') }, 'other');
      await bench.until('both arrive', () => got.events.length >= 2);
      await sleep(100);
      expect(got.texts().sort()).toEqual(['first', 'second']);
    },
  },
  'sink-concurrent': {
    title: 'hands over the next message before the sink has answered for the one before',
    async run(bench) {
      const held = heldSink();
      await bench.receiving(held.sink);
      for (const text of ['one', 'two', 'three']) {
        await bench.publish(text);
        await bench.until(`"${text}" is handed over`, () => held.texts().includes(text));
      }
      expect(held.texts()).toEqual(['one', 'two', 'three']);
      held.open();
    },
  },
  'receive-window': {
    title: 'hands over no more than its window while the sink does not answer, and loses nothing',
    async run(bench) {
      const { receiveWindow } = bench.suite.limits;
      const texts = Array.from({ length: receiveWindow + 40 }, (_, index) => `m${index}`);
      const held = heldSink();
      await bench.receiving(held.sink);
      await bench.publish(...texts);
      await bench.until('the first message arrives', () => held.events.length > 0);
      await sleep(300);
      expect(held.events.length).toBeLessThanOrEqual(receiveWindow);
      held.open();
      await bench.until('everything arrives in the end', () => held.events.length >= texts.length);
      expect(held.texts()).toEqual(texts);
    },
  },
} as const satisfies CaseGroup;

/** Lets the peer publish one message and returns the event it became. */
async function receiveOne(bench: Bench, message: PeerMessage): Promise<ReceivedEvent> {
  const got = recordingSink();
  await bench.receiving(got.sink);
  await bench.site.peer.publish(message);
  await bench.until('the message is received', () => got.events.length > 0);
  return got.events[0]!;
}

async function receivesSame(bench: Bench, parts: Omit<PeerMessage, 'body'>): Promise<void> {
  expect(await receiveOne(bench, { body: Buffer.from('same'), ...parts })).toMatchObject(parts);
}

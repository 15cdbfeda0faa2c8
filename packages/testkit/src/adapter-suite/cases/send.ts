import { setTimeout as sleep } from 'node:timers/promises';
import { type OutgoingEvent, TooLarge } from '@magpie/contract';
import { expect } from 'vitest';
import type { Bench, CaseGroup } from '../bench.ts';
import { errorOf, expectError } from '../errors.ts';
import type { PeerMessage } from '../fixture.ts';
import { outgoing } from '../link.ts';
import { addressOf, targetRequest } from '../requests.ts';
import { BODIES, FOREIGN_ADDRESS, HEADERS, TRACE } from '../samples.ts';
import { heldSink, recordingSink } from '../sinks.ts';

/** What goes out, confirmed and unchanged. */
export const sendCases = {
  'send-bodies': {
    title: 'sends binary, empty, large and unicode bodies byte for byte, in order, and names who confirmed',
    async run(bench) {
      const link = await bench.connected();
      for (const body of BODIES) expect((await link.send({ body })).confirmedBy).toMatch(/^[a-z][a-z0-9-]*$/);
      await bench.until(`${BODIES.length} messages arrive`, () => bench.site.peer.received().length >= BODIES.length);
      const bodies = bench.site.peer.received().map(({ body }) => Buffer.from(body));
      expect(bodies).toEqual(BODIES.map((body) => Buffer.from(body)));
    },
  },
  'send-headers': {
    title: 'sends every header, in order, with unicode and empty values',
    async run(bench) {
      const message = await sendOne(bench, { headers: HEADERS });
      expect(message.headers).toEqual(HEADERS);
    },
  },
  'send-id': {
    title: 'puts the event’s id where the protocol keeps message ids',
    run: (bench) => sendsSame(bench, { id: 'message-0815' }),
  },
  'send-correlation': {
    title: 'sends the correlation id',
    run: (bench) => sendsSame(bench, { correlationId: 'request-4711/ü' }),
  },
  'send-reply-to': {
    title: 'sends the reply address',
    run: (bench) => sendsSame(bench, { replyTo: addressOf(bench.suite.definition, bench.site.target) }),
  },
  'send-foreign-reply-to': {
    title: 'sends a reply address of another protocol, in the text form that all protocols share',
    run: (bench) => sendsSame(bench, { replyTo: FOREIGN_ADDRESS }),
  },
  'send-trace': {
    title: 'sends the trace a message belongs to',
    run: (bench) => sendsSame(bench, { trace: TRACE }),
  },
  'send-content-type': {
    title: 'sends the content type',
    run: (bench) => sendsSame(bench, { contentType: 'application/json; charset=utf-8' }),
  },
  'send-via': {
    title: 'sends the ids of the gateways passed, so that loops end',
    run: (bench) => sendsSame(bench, { via: ['gateway-a', 'gateway-b'] }),
  },
  'send-expiry': {
    title: 'sends the expiry',
    async run(bench) {
      const expiresAt = Date.now() + 90_000;
      const message = await sendOne(bench, { expiresAt });
      const tolerance = bench.suite.limits.expiryTolerance ?? 2_000;
      expect(Math.abs((message.expiresAt ?? 0) - expiresAt)).toBeLessThanOrEqual(tolerance);
    },
  },
  'send-largest': {
    title: 'sends a body as large as it claims to, or says TooLarge, and goes on',
    async run(bench) {
      const { suite, site } = bench;
      const config = suite.definition.connectionSchema.parse(site.connection);
      const body = Buffer.alloc(suite.definition.capabilities(config).maxBodyBytes, 0x61);
      const link = await bench.connected();
      const refused = await link.send({ body }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refused !== undefined) expect(refused).toBeInstanceOf(TooLarge);
      await link.sendText('after');
      await bench.until('the next message arrives', () => bench.arrived().includes('after'));
      const lengths = bench.arrived().map(({ length }) => length);
      expect(lengths).toEqual(refused === undefined ? [body.length, 'after'.length] : ['after'.length]);
      expect(link.lost).toEqual([]);
    },
  },
  'send-ordered': {
    title: 'keeps the order of as many unconfirmed sends as its window says',
    async run(bench) {
      const { suite, site } = bench;
      const config = suite.definition.connectionSchema.parse(site.connection);
      const { fifoWindow } = suite.definition.capabilities(config);
      expect(fifoWindow).toBeGreaterThanOrEqual(1);
      const link = await bench.connected();
      const texts = Array.from({ length: Math.min(fifoWindow, 200) }, (_, index) => `m${index}`);
      await Promise.all(texts.map((text) => link.sendText(text)));
      await bench.until('all arrive', () => bench.arrived().length >= texts.length);
      expect(bench.arrived()).toEqual(texts);
    },
  },
  'send-parallel': {
    title: 'confirms parallel senders, every message once',
    async run(bench) {
      const { suite, site } = bench;
      const config = suite.definition.connectionSchema.parse(site.connection);
      const senders = Math.min(suite.definition.capabilities(config).fifoWindow, 8);
      const link = await bench.connected();
      const sender = async (name: number): Promise<void> => {
        for (let index = 0; index < 10; index++) await link.sendText(`s${name}-${index}`);
      };
      await Promise.all(Array.from({ length: senders }, (_, name) => sender(name)));
      await bench.until('all arrive', () => bench.arrived().length >= senders * 10);
      expect(new Set(bench.arrived()).size).toBe(senders * 10);
      expect(bench.arrived()).toHaveLength(senders * 10);
    },
  },
  'send-posted': {
    title: 'hands over what nobody waits for, where it can, in order with what is sent',
    async run({ suite, site, until, arrived, link: make }) {
      const target = targetRequest(suite.definition, site.unconfirmedTarget ?? site.target);
      const link = make();
      const post = (text: string): boolean =>
        link.connection.post?.(outgoing({ body: Buffer.from(text) }), target) ?? false;
      expect(post('too early')).toBe(false);
      await link.connect();
      const texts = Array.from({ length: 40 }, (_, index) => `p${index}`);
      for (const [index, text] of texts.entries()) {
        if (index % 4 === 0 || !post(text)) await link.sendTo(target, text);
      }
      await until('all arrive', () => arrived().length >= texts.length);
      await link.close();
      expect(post('too late')).toBe(false);
      expect(arrived()).toEqual(texts);
    },
  },
  'send-while-receiving': {
    title: 'sends from within the sink without a deadlock',
    async run(bench) {
      const link = await bench.connected();
      await link.receive(async (batch) => {
        for (const { body } of batch) await link.send({ body });
        return batch.map(() => ({ type: 'stored' }));
      });
      await bench.publish('a', 'b', 'c');
      await bench.until('all are passed on', () => bench.arrived().length >= 3);
      // Sinks run side by side: how messages fall into batches is the adapter's own.
      expect(bench.arrived().toSorted()).toEqual(['a', 'b', 'c']);
    },
  },
  'send-while-held': {
    title: 'confirms sends while the sink does not answer and more waits than it takes in, and then loses nothing',
    async run(bench) {
      const texts = Array.from({ length: 10 * bench.suite.limits.receiveWindow }, (_, index) => `m${index}`);
      const held = heldSink();
      const link = await bench.receiving(held.sink);
      await bench.publish(...texts);
      await bench.until('the first message arrives', () => held.events.length > 0);
      await sleep(300);
      for (const text of ['one', 'two', 'three']) await link.sendText(text);
      await bench.until('all arrive', () => bench.arrived().length >= 3);
      held.open();
      await bench.until('everything is received in the end', () => held.events.length >= texts.length);
      expect(held.texts()).toEqual(texts);
    },
  },
  'refusing-place': {
    title:
      'tells that a place refuses for now, disturbs nothing that goes to another, and uses the place once it takes messages',
    async run(bench) {
      const { site, suite } = bench;
      if (!site.refusing) throw new Error('the fixture offers no "refusing", or declares the case unsupported');
      const refusing = targetRequest(suite.definition, site.refusing.target);
      const link = await bench.connected();
      await link.receive(recordingSink().sink, []);
      const texts = Array.from({ length: 20 }, (_, index) => `m${index}`);
      const refused: Promise<unknown>[] = [];
      const taken: Promise<unknown>[] = [];
      for (const [index, text] of texts.entries()) {
        if (index % 5 === 1) refused.push(expectPlaceError(link.sendTo(refusing, `to the refusing place ${index}`)));
        taken.push(link.sendText(text));
      }
      await Promise.all([...taken, ...refused]);
      await bench.until('all others arrive', () => bench.arrived().length >= texts.length);
      expect(bench.arrived()).toEqual(texts);
      await site.refusing.open();
      await until(bench.deadline, () => link.sendTo(refusing, 'now'));
      expect(link.lost).toEqual([]);
    },
  },
  'send-aborted': {
    title: 'does not send when the signal has already fired',
    async run(bench) {
      const link = await bench.connected();
      await expectError(link.send({}, AbortSignal.abort()), 'Aborted');
      await link.sendText('next');
      await bench.until('the next one arrives', () => bench.arrived().includes('next'));
      expect(bench.arrived()).toEqual(['next']);
    },
  },
  'send-never-connected': {
    title: 'refuses a send and a probe before connect and after close as NotConnected, at once',
    async run(bench) {
      const link = bench.link();
      await expectError(link.sendText('too early'), 'NotConnected');
      await expectError(link.probe(), 'NotConnected');
      await link.connect();
      await link.close();
      await expectError(link.sendText('too late'), 'NotConnected');
      await expectError(link.probe(), 'NotConnected');
      expect(bench.arrived()).toEqual([]);
    },
  },
} as const satisfies CaseGroup;

/** The error of a place that refuses for now; not that of a link or of a message. */
async function expectPlaceError(sending: Promise<unknown>): Promise<void> {
  const error = await errorOf(sending);
  expect({ concerns: error.concerns, suspendsPlace: error.suspendsPlace }, error.message).toEqual({
    concerns: 'place',
    suspendsPlace: true,
  });
}

/** Tries until it works: a place that has been opened may take a moment. */
async function until(deadline: number, attempt: () => Promise<unknown>): Promise<void> {
  for (const end = performance.now() + deadline; ; await sleep(50)) {
    try {
      return void (await attempt());
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

/** Sends one message and returns what the peer got. */
async function sendOne(bench: Bench, parts: Partial<OutgoingEvent>): Promise<PeerMessage> {
  const link = await bench.connected();
  await link.send(parts);
  await bench.until('the message arrives', () => bench.site.peer.received().length > 0);
  return bench.site.peer.received()[0]!;
}

async function sendsSame(bench: Bench, parts: Partial<OutgoingEvent>): Promise<void> {
  expect(await sendOne(bench, parts)).toMatchObject(parts);
}

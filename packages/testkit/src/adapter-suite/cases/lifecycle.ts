import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { leakCheck } from '../../leaks.ts';
import type { CaseGroup } from '../bench.ts';
import { expectError } from '../errors.ts';
import { heldSink, recordingSink } from '../sinks.ts';

/** Opening, closing and what is left behind. */
export const lifecycleCases = {
  capabilities: {
    title: 'claims no capability whose cases it cannot pass, and gives a reason for each of those',
    async run({ suite, site }) {
      const unsupported = suite.unsupported ?? {};
      for (const [name, reason] of Object.entries(unsupported)) expect(reason, name).toMatch(/\w+ \w+/);
      const claims = suite.definition.capabilities(suite.definition.connectionSchema.parse(site.connection));
      const claimed = CLAIMS.filter(({ capability }) => claims[capability]).flatMap(({ cases }) => cases);
      expect(claimed.filter((name) => name in unsupported)).toEqual([]);
      expect(claims.fifoWindow).toBeGreaterThanOrEqual(1);
      expect(claims.maxBodyBytes).toBeGreaterThan(0);
    },
  },
  'open-close': {
    title: 'connects, proves the link by a probe, closes without reporting a lost link',
    async run(bench) {
      const link = await bench.connected();
      await link.receive(recordingSink().sink, []);
      await link.probe();
      await link.close();
      await sleep(50);
      expect(link.lost).toEqual([]);
    },
  },
  'close-any-time': {
    title: 'closes before connecting, twice, and twice at once',
    async run(bench) {
      await bench.link().close();
      const link = await bench.connected();
      await Promise.all([link.close(), link.close()]);
      await link.close();
    },
  },
  'cut-and-reconnect': {
    title: 'after close by a fired signal, as for a link that failed its probe, it connects again and all works',
    async run(bench) {
      const got = recordingSink();
      const link = await bench.receiving(got.sink);
      await link.connection.close(AbortSignal.abort());
      await bench.publish('meanwhile');
      await link.connect();
      await link.receive(got.sink);
      await bench.publish('afterwards');
      await bench.until('it receives again', () => got.texts().includes('afterwards'));
      await link.sendText('out');
      await bench.until('it sends again', () => bench.arrived().includes('out'));
      expect(link.lost).toEqual([]);
    },
  },
  'close-unread': {
    title: 'closes while messages wait and nobody has asked to receive',
    async run(bench) {
      const first = await bench.receiving(recordingSink().sink);
      await first.close();
      await bench.publish('waiting-1', 'waiting-2');
      const link = await bench.connected();
      await link.close();
    },
  },
  'close-unacknowledged': {
    title: 'closes while a verdict is pending; the late verdict harms nothing',
    async run(bench) {
      const held = heldSink();
      const link = await bench.receiving(held.sink);
      await bench.publish('pending');
      await bench.until('the message reaches the sink', () => held.texts().includes('pending'));
      await link.close();
      held.open();
      await sleep(50); // An unhandled rejection of the late acknowledgement would fail the run.
      expect(link.lost).toEqual([]);
    },
  },
  'connect-aborted': {
    title: 'does not connect when the signal has already fired, and connects afterwards',
    async run(bench) {
      const link = bench.link();
      await expectError(link.connect(AbortSignal.abort()), 'Aborted');
      await link.connect();
      await link.probe();
    },
  },
  'close-during-connect': {
    title: 'ends a connect in progress when it is closed',
    async run(bench) {
      const link = bench.link();
      const connecting = link.connect().catch(() => undefined);
      await link.close();
      await connecting;
      await expectError(link.sendText('closed'), 'NotConnected', 'Aborted');
    },
  },
  quiesce: {
    title: 'quiesce stops intake; sends still work and stored messages are still acknowledged',
    async run(bench) {
      const held = heldSink();
      const link = await bench.receiving(held.sink);
      await bench.publish('before');
      await bench.until('the message reaches the sink', () => held.texts().includes('before'));
      await link.quiesce();
      await bench.publish('after');
      await link.sendText('while draining');
      await bench.until('the send arrives', () => bench.arrived().includes('while draining'));
      held.open();
      await sleep(150);
      expect(held.texts()).toEqual(['before']);
      await link.close();
      expect(link.lost).toEqual([]);
    },
  },
  'no-handles': {
    title: 'leaves no socket, pipe or timer behind after close',
    async run(bench) {
      await sleep(200); // Lets the test runner's own short timers end, lest they hide one of the adapter's.
      const leaks = leakCheck();
      const link = await bench.receiving(recordingSink().sink);
      await link.sendText('one');
      await link.probe();
      await link.close();
      await leaks.expectNone(bench.deadline);
    },
  },
  'no-listeners': {
    title: 'leaves no listener on the signals it was given',
    async run(bench) {
      const link = bench.link();
      const { signal } = new AbortController();
      await link.connect(signal);
      await link.receive(recordingSink().sink);
      for (let round = 0; round < 5; round++) {
        await link.send({}, signal);
        await link.probe(signal);
      }
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    },
  },
} as const satisfies CaseGroup;

/** What a capability promises, by the cases that prove it. */
const CLAIMS = [
  { capability: 'receives', cases: ['receive-bodies', 'receive-address', 'receive-window'] },
  { capability: 'sends', cases: ['send-bodies', 'send-ordered', 'send-largest'] },
  { capability: 'sendsWhileHeld', cases: ['send-while-held'] },
  { capability: 'holdsPerPlace', cases: ['held-place'] },
  {
    capability: 'metadata',
    cases: ['receive-headers', 'receive-via', 'receive-trace', 'send-headers', 'send-via', 'send-trace'],
  },
] as const;

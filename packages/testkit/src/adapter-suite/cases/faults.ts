import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Bench, CaseGroup } from '../bench.ts';
import { expectError } from '../errors.ts';
import { type Link, within } from '../link.ts';
import { heldSink, type RecordingSink, recordingSink } from '../sinks.ts';

const ABORT_AFTER = 150;

/** Links that break, brokers that go away, silence. */
export const faultCases = {
  'lost-once': {
    title: 'reports every lost link exactly once and connects again with the same object',
    async run(bench) {
      const cut = bench.hook('cutLink');
      const got = recordingSink();
      const link = await bench.receiving(got.sink);
      for (const round of [1, 2]) {
        await cut();
        await bench.until(`lost is called for link ${round}`, () => link.lost.length >= round);
        await sleep(150);
        expect(link.lost).toHaveLength(round);
        await link.connect();
        await link.receive(got.sink);
      }
      await bench.publish('after');
      await bench.until('it receives again', () => got.texts().includes('after'));
      await link.sendText('out');
      await bench.until('it sends again', () => bench.arrived().includes('out'));
      await link.close();
      expect(link.lost).toHaveLength(2);
    },
  },
  'send-while-down': {
    title: 'refuses sends on a lost link as NotConnected, at once, and never sends them later',
    async run(bench) {
      const cut = bench.hook('cutLink');
      const link = await bench.connected();
      await link.receive(recordingSink().sink, []);
      await cut();
      await bench.until('lost is called', () => link.lost.length > 0);
      const started = performance.now();
      await expectError(link.sendText('lost'), 'NotConnected');
      await expectError(link.probe(), 'NotConnected');
      expect(performance.now() - started).toBeLessThan(1_000);
      await link.connect();
      await link.sendText('kept');
      await bench.until('the next one arrives', () => bench.arrived().includes('kept'));
      expect(bench.arrived()).toEqual(['kept']);
    },
  },
  'unknown-outcome': {
    title: 'says Unknown for a send whose link is lost before the confirmation',
    async run(bench) {
      const [blackHole, cut] = [bench.hook('blackHole'), bench.hook('cutLink')];
      const link = await bench.connected();
      await link.receive(recordingSink().sink, []);
      await link.sendText('before');
      await blackHole();
      const outcome = expectError(link.sendText('in between'), 'Unknown');
      await Promise.all([outcome, sleep(ABORT_AFTER).then(cut)]);
    },
  },
  'pending-redelivered-after-cut': {
    title:
      'what had no verdict when the link was lost comes again on the next link; the stale verdict acknowledges nothing',
    async run(bench) {
      const cut = bench.hook('cutLink');
      const held = heldSink();
      const link = await bench.receiving(held.sink);
      await bench.publish('pending');
      await bench.until('it is handed over', () => held.texts().includes('pending'));
      await cut();
      await bench.until('lost is called', () => link.lost.length > 0);
      await link.connect();
      const again = heldSink();
      await link.receive(again.sink);
      await bench.until('it comes again', () => again.texts().includes('pending'));
      held.open();
      await sleep(150);
      expect(link.lost).toHaveLength(1);
      await link.close();
      const third = recordingSink();
      await bench.receiving(third.sink);
      await bench.until('it comes a third time: nobody stored the second', () => third.texts().includes('pending'));
    },
  },
  'connect-abort': {
    title: 'ends a connect to a silent peer when the signal fires, and leaves nothing of it',
    async run(bench) {
      const [blackHole, restore] = [bench.hook('blackHole'), bench.hook('restoreLink')];
      await blackHole();
      const link = bench.link();
      await expectError(link.connect(AbortSignal.timeout(ABORT_AFTER)), 'Aborted');
      await restore();
      await link.connect();
      await link.probe();
      expect(link.lost).toEqual([]);
    },
  },
  'send-abort': {
    title: 'ends the waiting for a confirmation when the signal fires',
    async run(bench) {
      const blackHole = bench.hook('blackHole');
      const link = await bench.connected();
      await link.receive(recordingSink().sink, []);
      await blackHole();
      await expectError(link.send({}, AbortSignal.timeout(ABORT_AFTER)), 'Aborted');
    },
  },
  'probe-silent': {
    title: 'a probe of a silent link fails, at the latest when its signal fires',
    async run(bench) {
      const blackHole = bench.hook('blackHole');
      const link = await bench.connected();
      await link.receive(recordingSink().sink, []);
      await link.probe();
      await blackHole();
      await expectError(link.probe(AbortSignal.timeout(ABORT_AFTER)), 'Aborted', 'NotConnected');
    },
  },
  'close-silent': {
    title: 'closes a silent link by the time its signal fires',
    async run(bench) {
      const blackHole = bench.hook('blackHole');
      const link = await bench.receiving(recordingSink().sink);
      await blackHole();
      const started = performance.now();
      await within('close', bench.deadline, link.connection.close(AbortSignal.timeout(ABORT_AFTER)));
      expect(performance.now() - started).toBeLessThan(ABORT_AFTER + 2_000);
    },
  },
  'connect-refused': {
    title: 'says NotConnected when nobody listens',
    async run(bench) {
      const [stop, start] = [bench.hook('stopBroker'), bench.hook('startBroker')];
      const link = bench.link();
      await stop();
      try {
        await expectError(link.connect(), 'NotConnected');
        expect(link.lost).toEqual([]);
      } finally {
        await start();
      }
      await link.connect();
    },
  },
  'restart-receiving': {
    title: 'receives everything at least once through a broker restart',
    async run(bench) {
      const got = recordingSink();
      const link = await bench.receiving(got.sink);
      const texts = Array.from({ length: 40 }, (_, index) => `m${index}`);
      await bench.publish(...texts.slice(0, 20));
      await restart(bench, link, got);
      await bench.publish(...texts.slice(20));
      await bench.until('everything is received', () => new Set(got.texts()).size >= texts.length);
      expect([...new Set(got.texts())]).toEqual(texts);
    },
  },
  'restart-sending': {
    title: 'delivers everything at least once through a broker restart when unconfirmed sends are repeated',
    async run(bench) {
      const link = await bench.connected();
      await link.receive(recordingSink().sink, []);
      const texts = Array.from({ length: 30 }, (_, index) => `m${index}`);
      const sending = (async () => {
        for (const text of texts) await sendUntilConfirmed(link, text, bench.deadline);
      })();
      await restart(bench, link, recordingSink());
      await sending;
      await bench.until('everything arrives', () => new Set(bench.arrived()).size >= texts.length);
    },
  },
} as const satisfies CaseGroup;

/** Restarts the broker and, as the supervisor would, connects again once the link is known to be lost. */
async function restart(bench: Bench, link: Link, got: RecordingSink): Promise<void> {
  await bench.hook('stopBroker')();
  await bench.hook('startBroker')();
  await bench.until('lost is called', () => link.lost.length > 0);
  await link.connect();
  await link.receive(got.sink);
}

/** Repeats a send with the same id until it is confirmed, as a lane would. */
async function sendUntilConfirmed(link: Link, text: string, deadline: number): Promise<void> {
  const end = performance.now() + deadline;
  for (let attempt = 0; ; attempt++) {
    try {
      await link.send({ id: text, body: Buffer.from(text), redelivered: attempt > 0 });
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(50);
    }
  }
}

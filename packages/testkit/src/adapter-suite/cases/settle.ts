import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdict } from '@magpie/contract';
import { expect } from 'vitest';
import type { Bench, CaseGroup } from '../bench.ts';
import type { Link } from '../link.ts';
import { heldSink, recordingSink, STORED } from '../sinks.ts';

/** The promise: what is stored is acknowledged, what is not comes again. */
export const settleCases = {
  'stored-acknowledged': {
    title: 'acknowledges what was stored: it does not come again after a reconnect',
    run: (bench) => isAcknowledged(bench, STORED),
  },
  'duplicate-acknowledged': {
    title: 'acknowledges a duplicate',
    run: (bench) => isAcknowledged(bench, { type: 'duplicate' }),
  },
  'refused-acknowledged': {
    title: 'acknowledges what was refused for good',
    run: (bench) => isAcknowledged(bench, { type: 'refused', reason: 'not acceptable' }),
  },
  'unavailable-redelivered': {
    title: 'does not acknowledge what could not be stored: it comes again after a reconnect',
    async run(bench) {
      const judge = (text: string): Verdict => (text === 'two' ? { type: 'unavailable', reason: 'disk' } : STORED);
      const first = recordingSink(judge);
      const link = await bench.receiving(first.sink);
      await bench.publish('one');
      await bench.until('the first is handed over', () => first.texts().includes('one'));
      await bench.publish('two');
      await bench.until('the second is handed over', () => first.texts().includes('two'));
      await settleAndClose(link);
      const again = recordingSink();
      await bench.receiving(again.sink);
      await bench.until('the second comes again', () => again.texts().includes('two'));
      expect(again.texts()).not.toContain('one');
      expect(again.events.find(({ body }) => Buffer.from(body).toString() === 'two')?.redelivered).toBe(true);
    },
  },
  'pending-redelivered': {
    title: 'what had no verdict when the connection was closed comes again',
    async run(bench) {
      const held = heldSink();
      const link = await bench.receiving(held.sink);
      await bench.publish('pending');
      await bench.until('it is handed over', () => held.texts().includes('pending'));
      await link.close();
      held.open();
      const again = recordingSink();
      await bench.receiving(again.sink);
      await bench.until('it comes again', () => again.texts().includes('pending'));
    },
  },
  'no-overtaking': {
    title: 'a later stored message never acknowledges an earlier one that is not stored',
    async run(bench) {
      const held = heldSink();
      const link = await bench.receiving(held.sink);
      for (const text of ['one', 'two', 'three']) {
        await bench.publish(text);
        await bench.until(`"${text}" is handed over`, () => held.texts().includes(text));
      }
      held.answer('three');
      held.answer('two');
      await settleAndClose(link);
      const again = recordingSink();
      await bench.receiving(again.sink);
      await bench.until('the unstored one comes again', () => again.texts().includes('one'));
    },
  },
  'late-unavailable': {
    title: 'a message that turns out unavailable comes again though later ones are stored already',
    async run(bench) {
      const held = heldSink();
      const link = await bench.receiving(held.sink);
      for (const text of ['one', 'two']) {
        await bench.publish(text);
        await bench.until(`"${text}" is handed over`, () => held.texts().includes(text));
      }
      held.answer('two');
      held.answer('one', { type: 'unavailable', reason: 'disk' });
      await settleAndClose(link);
      const again = recordingSink();
      await bench.receiving(again.sink);
      await bench.until('it comes again', () => again.texts().includes('one'));
    },
  },
  'kept-while-away': {
    title: 'what is published while the connection is closed arrives afterwards, in order',
    async run(bench) {
      const first = await bench.receiving(recordingSink().sink);
      await first.close();
      const texts = Array.from({ length: 20 }, (_, index) => `away-${index}`);
      await bench.publish(...texts);
      const got = recordingSink();
      await bench.receiving(got.sink);
      await bench.until('everything arrives', () => got.events.length >= texts.length);
      expect(got.texts()).toEqual(texts);
    },
  },
  'quiesce-keeps': {
    title: 'what arrives after quiesce waits at the broker for the next connection',
    async run(bench) {
      const got = recordingSink();
      const link = await bench.receiving(got.sink);
      await link.quiesce();
      await bench.publish('later');
      await sleep(100);
      await link.close();
      expect(got.texts()).toEqual([]);
      await bench.receiving(got.sink);
      await bench.until('it arrives', () => got.texts().includes('later'));
    },
  },
} as const satisfies CaseGroup;

async function isAcknowledged(bench: Bench, verdict: Verdict): Promise<void> {
  const got = recordingSink(() => verdict);
  const link = await bench.receiving(got.sink);
  await bench.publish('one', 'two', 'three');
  await bench.until('all are handed over', () => got.events.length >= 3);
  await settleAndClose(link);
  const again = recordingSink();
  await bench.receiving(again.sink);
  await bench.publish('marker');
  await bench.until('the marker arrives', () => again.texts().includes('marker'));
  expect(again.texts()).toEqual(['marker']);
}

/** Gives verdicts time to become acknowledgements on the wire, then says goodbye. */
async function settleAndClose(link: Link): Promise<void> {
  await sleep(150);
  await link.quiesce();
  await link.close();
}

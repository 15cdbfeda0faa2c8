import { Rejected, Transient } from '@magpie/contract';
import type { RateLimit, Summary } from '@magpie/routing';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../model/world/virtual-time.ts';
import { type Bench, bench, retry, type SummaryMade } from './queue-fixture.ts';

const summary: Summary = {
  values: ({ body }) => ({ devices: Buffer.from(body).toString().split(' ')[0] ?? '' }),
  body: () => ({ body: new Uint8Array() }),
};
const limited = (rate: Partial<RateLimit> = {}) => ({ pacing: { rate: { max: 5, per: 60_000, summary, ...rate } } });

const said = (b: Bench): readonly SummaryMade[] => [...b.summaries.values()];
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

async function confirmAll(b: Bench): Promise<void> {
  for (let before = -1; before !== b.sent.length; ) {
    before = b.sent.length;
    for (const each of b.sent) if (!each.isOver()) each.confirm();
    await settle();
  }
}

async function offerAll(b: Bench, texts: readonly string[], place = 'room'): Promise<void> {
  for (const text of texts) await b.offer(text, text, { headers: [['to', place]] });
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `d${index} alarm`);

/** The process is gone, with everything that was not written. */
function kill(b: Bench): void {
  b.queue.stop();
  b.writer.close();
}

describe('a rate limit', () => {
  it('lets so many through, and one summary at the end of the window counts the others', async () => {
    const b = bench(limited());
    await offerAll(b, numbered(300));
    await confirmAll(b);
    expect(b.bodies()).toEqual(numbered(5));
    expect(said(b)).toEqual([]);
    expect(b.queue.load()).toMatchObject({ limited: 295, waiting: 0 });
    await b.clock.advance(60_000);
    await settle();
    expect(said(b)).toMatchObject([{ place: 'channel:room', count: 295 }]);
    expect(said(b)[0]?.values.devices).toHaveLength(21);
    expect(said(b)[0]?.values.devices?.slice(-2)).toEqual(['d24', '…']);
    expect(b.queue.load()).not.toHaveProperty('limited');
  });

  it('gives each place an allowance of its own', async () => {
    const b = bench(limited());
    await offerAll(b, numbered(8));
    await offerAll(b, ['x 1', 'x 2'], 'hall');
    await confirmAll(b);
    expect(b.bodies()).toEqual([...numbered(5), 'x 1', 'x 2']);
  });

  it('begins anew with the next window', async () => {
    const b = bench(limited());
    await offerAll(b, numbered(6));
    await confirmAll(b);
    await b.clock.advance(60_000);
    await offerAll(b, ['late 1', 'late 2']);
    await confirmAll(b);
    expect(b.bodies().slice(5)).toEqual(['late 1', 'late 2']);
    await b.clock.advance(60_000);
    await settle();
    expect(said(b)).toMatchObject([{ count: 1 }]);
  });

  it('ends what exceeds it as dropped, with the reason, and counts it as limited', async () => {
    const b = bench(limited({ max: 1 }));
    await offerAll(b, numbered(2));
    await confirmAll(b);
    await b.writer.flush();
    expect(b.results).toEqual(['limited', 'confirmed']);
    const [, second] = await b.log.read(undefined, 2);
    expect(await b.log.outcomes(second!.event.ref)).toMatchObject([
      {
        state: 'dropped',
        error: expect.stringContaining('the rate of channel:room is used up (1 in 60000 ms); a summary counts it'),
      },
    ]);
  });

  it('drops without a summary what exceeds it', async () => {
    const b = bench({ pacing: { rate: { max: 1, per: 1000 } } });
    await offerAll(b, numbered(3));
    await confirmAll(b);
    await b.clock.advance(1000);
    await settle();
    expect(b.bodies()).toEqual(numbered(1));
    expect(said(b)).toEqual([]);
  });

  it('takes nothing for a second attempt', async () => {
    const b = bench({ ...limited({ max: 1 }), retry });
    await offerAll(b, numbered(2));
    await settle();
    b.sent[0]!.fail(new Transient('busy'));
    await settle();
    await b.clock.advance(2000);
    expect(b.bodies()).toEqual(['d0 alarm', 'd0 alarm']);
    expect(b.results).toEqual(['limited', 'refused']);
  });

  it('counts what was refused for good as one that went out', async () => {
    const b = bench(limited({ max: 1 }));
    await offerAll(b, ['a']);
    await settle();
    b.sent[0]!.fail(new Rejected('no'));
    await settle();
    await offerAll(b, ['b']);
    expect(b.bodies()).toEqual(['a']);
  });
});

describe('a rate limit after a kill', () => {
  it('goes on with the window, and the summary counts everything once', async () => {
    const b = bench(limited());
    await offerAll(b, numbered(100));
    await confirmAll(b);
    await b.writer.flush();
    kill(b);
    const again = bench(limited(), b);
    await offerAll(again, numbered(50));
    await confirmAll(again);
    expect(again.bodies()).toEqual([]);
    await again.clock.advance(60_000);
    await settle();
    expect(said(again)).toMatchObject([{ count: 145 }]);
  });

  it('sends what was on its way again, and counts nothing twice that lies behind it', async () => {
    const b = bench(limited());
    await offerAll(b, numbered(20));
    await settle();
    for (const each of b.sent.slice(1)) each.confirm();
    await settle();
    await b.writer.flush();
    kill(b);
    const again = bench(limited(), b);
    await offerAll(again, []);
    await settle();
    await confirmAll(again);
    expect(again.bodies()).toEqual(numbered(5));
    expect(again.sent.every(({ event }) => event.redelivered)).toBe(true);
    await again.clock.advance(60_000);
    await settle();
    expect(said(again)).toMatchObject([{ count: 15 }]);
  });

  it('sends the summary of a window that has ended while nobody ran', async () => {
    const b = bench(limited());
    await offerAll(b, numbered(7));
    await confirmAll(b);
    await b.writer.flush();
    kill(b);
    await b.clock.advance(300_000);
    const again = bench(limited(), b);
    await offerAll(again, ['next']);
    await again.clock.advance(0);
    await settle();
    expect(again.bodies()).toEqual(['next']);
    expect(said(again)).toMatchObject([{ count: 2 }]);
  });

  it.each(Array.from({ length: 60 }, (_, seed) => seed))(
    'loses and doubles nothing, whenever it comes (%i)',
    async (seed) => {
      const random = randomFrom(seed + 1);
      const pick = (most: number): number => Math.floor(random() * most);
      let b = bench({ ...limited({ max: 3, per: 1000 }), retry: { ...retry, attempts: 1000 } });
      const out = new Set<string>();
      let offered = 0;
      for (let step = 0; step < 60; step++) {
        const place = pick(2) === 0 ? 'room' : 'hall';
        const what = pick(6);
        if (what < 2)
          for (let left = pick(8); left > 0; left--)
            await b.offer(`m${offered++}`, `k${pick(4)}`, { headers: [['to', place]] });
        if (what === 2) for (const each of b.sent) if (!each.isOver() && pick(2) === 0) each.confirm();
        if (what === 5) b.sent.find((each) => !each.isOver())?.fail(new Transient('busy'));
        if (what === 3) await b.clock.advance(pick(700));
        if (what === 4) await b.writer.flush();
        await settle();
        for (const body of b.bodies()) out.add(body);
        if (pick(12) > 0) continue;
        kill(b);
        b = bench({ ...limited({ max: 3, per: 1000 }), retry: { ...retry, attempts: 1000 } }, b);
      }
      for (let turn = 0; turn < 40; turn++) {
        await offerAll(b, []);
        await confirmAll(b);
        await b.clock.advance(3000);
        await settle();
      }
      for (const body of b.bodies()) out.add(body);
      const counted = said(b).reduce((sum, { count }) => sum + count, 0);
      expect(b.queue.load()).toMatchObject({ waiting: 0, held: 0, flying: 0 });
      expect(out.size + counted).toBe(offered);
    },
  );
});

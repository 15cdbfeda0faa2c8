import type { Event } from '@magpie/contract';
import type { QuietHours, Summary } from '@magpie/routing';
import { describe, expect, it } from 'vitest';
import { type Bench, bench } from './queue-fixture.ts';

/** The bench begins at this time. */
const NOW = 1_000_000;
const NIGHT = NOW + 10_000;
const MORNING = NOW + 20_000;
const summary: Summary = {
  values: ({ key }) => ({ devices: key }),
  body: () => ({ body: new Uint8Array() }),
};
const urgent = ({ body }: Event): boolean => Buffer.from(body).toString().startsWith('!');

/** Quiet from `NIGHT` to `MORNING`. */
const quiet = (more: Partial<QuietHours> = {}) => ({
  pacing: {
    quiet: {
      then: 'hold' as const,
      longest: MORNING - NIGHT,
      state: (now: number) =>
        now < NIGHT
          ? { isQuiet: false, until: NIGHT }
          : now < MORNING
            ? { isQuiet: true, until: MORNING }
            : { isQuiet: false, until: Number.POSITIVE_INFINITY },
      ...more,
    },
  },
});

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

async function confirmAll(b: Bench): Promise<void> {
  for (let before = -1; before !== b.sent.length; ) {
    before = b.sent.length;
    for (const each of b.sent) if (!each.isOver()) each.confirm();
    await settle();
  }
}

async function say(b: Bench, ...texts: string[]): Promise<void> {
  for (const text of texts) await b.offer(text, text.startsWith('!') ? 'k (unless)' : 'k');
  await confirmAll(b);
}

function kill(b: Bench): void {
  b.queue.stop();
  b.writer.close();
}

describe('quiet hours', () => {
  it('hold what comes in them, and send it in order when they are over', async () => {
    const b = bench(quiet());
    await say(b, 'evening');
    await b.clock.advance(10_000);
    await say(b, '1', '2', '3');
    expect(b.bodies()).toEqual(['evening']);
    expect(b.queue.load()).toMatchObject({ quietUntil: MORNING, waiting: 3, suspended: false });
    await b.clock.advance(10_000);
    await confirmAll(b);
    expect(b.bodies()).toEqual(['evening', '1', '2', '3']);
    expect(b.queue.load()).not.toHaveProperty('quietUntil');
  });

  it('hold more than memory takes, in the log', async () => {
    const b = bench(quiet(), undefined, { limits: { deliveries: 20 } });
    await b.clock.advance(10_000);
    const texts = Array.from({ length: 100 }, (_, index) => `${index}`);
    await say(b, ...texts);
    expect(b.queue.load()).toMatchObject({ lagging: true });
    await b.clock.advance(10_000);
    for (let turn = 0; turn < 20; turn++) await confirmAll(b);
    expect(b.bodies()).toEqual(texts);
  });

  it('hold across a kill', async () => {
    const b = bench(quiet());
    await b.clock.advance(10_000);
    await say(b, '1', '2');
    await b.writer.flush();
    kill(b);
    const again = bench(quiet(), b);
    await say(again, '3');
    expect(again.bodies()).toEqual([]);
    await again.clock.advance(10_000);
    await confirmAll(again);
    expect(again.bodies()).toEqual(['1', '2', '3']);
  });

  it('drop what comes in them where the route says so', async () => {
    const b = bench(quiet({ then: 'drop' }));
    await b.clock.advance(10_000);
    await say(b, '1');
    await b.writer.flush();
    expect(b.results).toEqual(['quiet']);
    const [first] = await b.log.read(undefined, 1);
    expect(await b.log.outcomes(first!.event.ref)).toMatchObject([
      { state: 'dropped', error: 'channel:room gets nothing in quiet hours' },
    ]);
    await b.clock.advance(10_000);
    await say(b, '2');
    expect(b.bodies()).toEqual(['2']);
  });

  it('count what comes in them for one summary afterwards', async () => {
    const b = bench(quiet({ then: 'summary', summary }));
    await b.clock.advance(12_000);
    await say(b, '1', '2', '3');
    expect(b.queue.load()).toMatchObject({ limited: 3, quietUntil: MORNING });
    await b.clock.advance(7999);
    expect(b.summaries.size).toBe(0);
    await b.clock.advance(1);
    await settle();
    expect([...b.summaries.values()]).toEqual([{ place: 'channel:room', count: 3, values: { devices: ['k'] } }]);
  });

  it('let through what "unless" says, past what they hold', async () => {
    const b = bench(quiet({ isExempt: urgent }));
    await b.clock.advance(10_000);
    await say(b, '1', '2', '! fire', '3', '! water');
    expect(b.bodies()).toEqual(['! fire', '! water']);
    await b.writer.flush();
    await b.writer.flush();
    expect(b.queue.load()).toMatchObject({ held: 3, blocked: 0, suspended: false });
    await b.clock.advance(10_000);
    await confirmAll(b);
    expect(b.bodies()).toEqual(['! fire', '! water', '1', '2', '3']);
  });

  it('let it through also when what they hold has filled its share, which then are dead letters', async () => {
    const b = bench(quiet({ isExempt: urgent }), undefined, { limits: { parked: 10 } });
    await b.clock.advance(10_000);
    for (let index = 0; index < 20; index++) {
      await say(b, `${index}`);
      await b.writer.flush();
    }
    await say(b, '! fire');
    expect(b.bodies()).toEqual(['! fire']);
    const letters = await b.log.deadLetters({ limit: 100 });
    expect(letters.map(({ reason }) => reason)).toContain('backlog');
    await b.clock.advance(10_000);
    await confirmAll(b);
    expect(b.bodies()).toHaveLength(21 - letters.length);
  });

  it('keep the summary of an evening for the morning', async () => {
    const b = bench({ pacing: { ...quiet().pacing, rate: { max: 1, per: 5000, summary } } });
    await b.clock.advance(8000);
    await say(b, '1', '2');
    await b.clock.advance(11_999);
    await settle();
    expect(b.summaries.size).toBe(0);
    await b.clock.advance(1);
    await settle();
    expect([...b.summaries.values()]).toMatchObject([{ count: 1 }]);
  });

  it('let go what they hold when a reload takes them away', async () => {
    const b = bench(quiet({ isExempt: urgent }));
    await b.clock.advance(10_000);
    await say(b, '1', '2');
    b.queue.update({ ...b.target, pacing: undefined }, b.port);
    await b.clock.advance(0);
    await confirmAll(b);
    expect(b.bodies()).toEqual(['1', '2']);
  });

  it('hold again after a kill what they held by itself', async () => {
    const b = bench(quiet({ isExempt: urgent }));
    await b.clock.advance(10_000);
    await say(b, '1', '2');
    await b.writer.flush();
    await b.writer.flush();
    kill(b);
    const again = bench(quiet({ isExempt: urgent }), b);
    await say(again, '! fire');
    expect(again.bodies()).toEqual(['! fire']);
    await again.clock.advance(10_000);
    await confirmAll(again);
    expect(again.bodies()).toEqual(['! fire', '1', '2']);
  });

  it('are no reason to wait at the end', async () => {
    const b = bench(quiet());
    await b.clock.advance(10_000);
    await b.offer('1');
    await b.queue.flushed();
  });
});

import type { Position } from '@magpie/bus';
import { Rejected } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { ChangeFilter } from '../../src/delivery/pacing/change-filter.ts';
import { type Bench, bench } from './queue-fixture.ts';

const onChange = { pacing: { change: {} } };
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

async function confirmAll(b: Bench): Promise<void> {
  for (const each of b.sent) if (!each.isOver()) each.confirm();
  await settle();
}

async function say(b: Bench, state: string, key = 'k', place = 'room'): Promise<void> {
  await b.offer(state, key, { headers: [['to', place]] });
  await confirmAll(b);
}

function kill(b: Bench): void {
  b.queue.stop();
  b.writer.close();
}

describe('a change filter', () => {
  it('knows of what was sent last whether it has arrived, and that it never will', async () => {
    const filter = new ChangeFilter();
    const [first, second] = ['1', '2'] as unknown as readonly [Position, Position];
    filter.pass('k', 'on', first);
    const asked = filter.hasArrived('k');
    filter.ended(first, false);
    expect(await asked).toBe(false);
    filter.pass('k', 'on', second);
    filter.ended(second, true);
    expect([await filter.hasArrived('k'), await filter.hasArrived('other')]).toEqual([true, false]);
  });

  it('sends only what differs from the last', async () => {
    const b = bench(onChange);
    for (const state of ['on', 'on', 'off', 'off', 'on']) await say(b, state);
    expect(b.bodies()).toEqual(['on', 'off', 'on']);
    expect(b.results).toEqual(['confirmed', 'unchanged', 'confirmed', 'unchanged', 'confirmed']);
  });

  it('compares within one key and one place', async () => {
    const b = bench(onChange);
    await say(b, 'on', 'pump');
    await say(b, 'on', 'fan');
    await say(b, 'on', 'pump', 'hall');
    await say(b, 'on', 'pump');
    expect(b.bodies()).toEqual(['on', 'on', 'on']);
  });

  it('ends what does not differ as dropped, with the reason', async () => {
    const b = bench(onChange);
    await say(b, 'on');
    await say(b, 'on');
    await b.writer.flush();
    const [, second] = await b.log.read(undefined, 2);
    expect(await b.log.outcomes(second!.event.ref)).toMatchObject([
      { state: 'dropped', error: 'it says what channel:room got last (onlyOnChange)' },
    ]);
  });

  it('sends what has not arrived before', async () => {
    const b = bench(onChange);
    await b.offer('on');
    b.sent[0]!.fail(new Rejected('no'));
    await settle();
    await say(b, 'on');
    expect(b.bodies()).toEqual(['on', 'on']);
  });

  it('knows the last one after a kill', async () => {
    const b = bench(onChange);
    await say(b, 'on');
    await b.writer.flush();
    kill(b);
    const again = bench(onChange, b);
    await say(again, 'on');
    await say(again, 'off');
    expect(again.bodies()).toEqual(['off']);
  });

  it('does not take for sent what a kill has cut off: it goes again, and nothing else', async () => {
    const b = bench(onChange);
    await b.offer('on', 'k');
    await b.offer('on', 'k');
    await settle();
    await b.writer.flush();
    kill(b);
    const again = bench(onChange, b);
    await say(again, 'on');
    expect(again.bodies()).toEqual(['on']);
    expect(again.sent[0]?.event.redelivered).toBe(true);
  });

  it('forgets what it knows when a reload takes it away', async () => {
    const b = bench(onChange);
    await say(b, 'on');
    const { port, target } = b;
    b.queue.update({ ...target, pacing: undefined }, port);
    await say(b, 'off');
    b.queue.update(target, port);
    await say(b, 'on');
    expect(b.bodies()).toEqual(['on', 'off', 'on']);
  });
});

import { createMemoryLog, type Position } from '@magpie/bus';
import { expect, it } from 'vitest';
import { PositionRanges } from '../../src/delivery/backlog/position-ranges.ts';

const log = createMemoryLog({});
/** Positions in log order, without a log that has them. */
async function places(count: number): Promise<Position[]> {
  const event = {
    ...{ ref: 'r', source: 's', address: { scheme: 'channel', segments: ['a'] }, kind: 'message' as const, key: 'k' },
    ...{ time: 0, receivedAt: 0, body: new Uint8Array(), headers: [], via: [], origin: {} },
  };
  const appended = await log.commit({ append: Array.from({ length: count }, () => ({ event })) });
  return appended.map(({ position }) => position);
}

it('takes no more than ten thousand ranges, skips what it has taken and nothing else', async () => {
  const stretches = new PositionRanges();
  const all = await places(30_000);
  const taken = new Set<Position>();
  for (const [index, place] of all.entries()) {
    if (index % 2 === 0) {
      stretches.gap();
    } else if (stretches.hasRoom) {
      stretches.add(place);
      taken.add(place);
    }
  }
  expect(taken.size).toBe(10_000);
  expect(all.filter((place) => stretches.has(place))).toEqual([...taken]);
});

it('widens the last range when it is full, and takes others once the first ones have been passed', async () => {
  const stretches = new PositionRanges();
  const all = await places(20_003);
  for (let index = 0; index < 20_000; index += 2) {
    stretches.gap();
    stretches.add(all[index]!);
  }
  expect(stretches.hasRoom).toBe(true);
  stretches.add(all[19_999]!);
  stretches.gap();
  expect(stretches.hasRoom).toBe(false);
  expect([stretches.has(all[0]!), stretches.has(all[1]!), stretches.has(all[2]!)]).toEqual([true, false, true]);
  expect(stretches.hasRoom).toBe(true);
  stretches.add(all[20_002]!);
  expect(all.slice(19_998).map((place) => stretches.has(place))).toEqual([true, true, false, false, true]);
});

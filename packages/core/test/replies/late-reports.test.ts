import { expect, it } from 'vitest';
import { LateReports, MOST_LINES } from '../../src/replies/late-reports.ts';
import { manualClock } from '../fixtures.ts';

it('gives each place so many lines, and one that counts the others once no more come', async () => {
  const clock = manualClock();
  const late = new LateReports(clock);
  const said: string[] = [];
  const take = (place: string, nth: number): boolean =>
    late.takes(place, (more) => said.push(`${place} ${nth}: ${more}`));
  const takeAll = (place: string, count: number): number =>
    Array.from({ length: count }, (_, nth) => take(place, nth)).filter(Boolean).length;
  expect(takeAll('room', 300)).toBe(MOST_LINES);
  expect(takeAll('hall', 3)).toBe(3);
  await clock.advance(4_999);
  expect(take('room', 300)).toBe(false);
  await clock.advance(4_999);
  expect(said).toEqual([]);
  await clock.advance(1);
  expect(said).toEqual(['room 300: 296']);
  expect(take('room', 0)).toBe(true);
});

it('says nothing once it is stopped', async () => {
  const clock = manualClock();
  const late = new LateReports(clock);
  for (let nth = 0; nth < 9; nth++) late.takes('room', () => expect.unreachable());
  late.stop();
  await clock.advance(60_000);
});

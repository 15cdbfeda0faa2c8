import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDedupeClock } from '../../src/shared/dedupe-clock.ts';

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.nat(40) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('link' as const), isUp: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('look' as const) }) },
);

const WINDOW = 100;

it('forgets exactly what is older than the window, with the time left out in which the source was down', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let time = 1000;
      const clock = createDedupeClock(() => time, WINDOW);
      /** For every ms since the start: whether the source was up. */
      const ups: boolean[] = [];
      let isUp = true;
      for (const action of steps) {
        if (action.type === 'wait') {
          for (let ms = 0; ms < action.ms; ms++) ups.push(isUp);
          time += action.ms;
        } else if (action.type === 'link') {
          isUp = action.isUp;
          clock.linked('erp', isUp);
        } else clock.lowest(time);
        const horizon = clock.horizon('erp', time);
        expect(clock.lowest(time)).toBe(horizon);
        expect(clock.horizon('other', time)).toBe(time - WINDOW);
        const age = (at: number) => ups.slice(at - 1000).filter(Boolean).length;
        for (let at = 1000; at <= time; at++) expect(at <= horizon).toBe(age(at) >= WINDOW);
      }
    }),
    { numRuns: 100 },
  );
});

it('keeps a bounded list of a link that comes and goes, and rather remembers for longer', () => {
  let time = 0;
  const clock = createDedupeClock(() => time, 1000);
  for (let round = 0; round < 500; round++) {
    clock.linked('erp', false);
    time += 10;
    clock.linked('erp', true);
    time += 1;
  }
  expect(clock.save().outages.erp!.length).toBe(100);
  expect(clock.horizon('erp', time)).toBeLessThan(0);
  time += 1000;
  clock.lowest(time);
  expect(clock.save().outages).toEqual({});
});

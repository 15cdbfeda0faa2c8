import fc from 'fast-check';
import { expect, it } from 'vitest';
import { memoryStore } from './model/memory-store.ts';
import { play } from './model/run.ts';
import { scripts } from './model/steps.ts';

/** The seed of a run that is to be repeated. */
const seed = process.env.MAGPIE_SEED;

it('delivers everything in order or says what became of it, whatever happens in between', {
  timeout: 3_600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(scripts(60), async (script) => {
      expect(await play(script, (now) => memoryStore(now))).toEqual([]);
    }),
    { numRuns: Number(process.env.MAGPIE_RUNS ?? 150), ...(seed === undefined ? {} : { seed: Number(seed) }) },
  );
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { play } from './run.ts';
import { modelRuns } from './runs.ts';
import { scripts } from './steps.ts';
import { memoryStore, readSlowly } from './world/memory-store.ts';

it('delivers everything in order or says what became of it, whatever happens in between', {
  timeout: 3_600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(scripts(60), async (script) => {
      const pace = script.seed % 2 === 0 ? readSlowly : undefined;
      expect(await play(script, (now) => memoryStore(now, pace))).toEqual([]);
    }),
    modelRuns(200),
  );
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { play } from './run.ts';
import { modelRuns } from './runs.ts';
import { scripts } from './steps.ts';
import { sqliteStore } from './world/sqlite-store.ts';

it('keeps the same promises on the durable log, over copies of its files as a crash leaves them', {
  timeout: 3_600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(scripts(30), async (script) => {
      expect(await play(script, sqliteStore)).toEqual([]);
    }),
    modelRuns(5, 0.02),
  );
});

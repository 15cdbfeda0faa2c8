import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect } from 'vitest';
import { type AttackFigures, figuresLine } from '../runner/figures.ts';
import { RESULTS } from './settings.ts';

/** Prints what the attack of the running test did, and keeps it in a long run. */
export function pushFigures(figures: Omit<AttackFigures, 'file' | 'attack'>): void {
  const { currentTestName = 'unknown', testPath = 'unknown' } = expect.getState();
  const line = figuresLine({ file: basename(testPath, '.test.ts'), attack: currentTestName, ...figures });
  console.log(line.trimEnd());
  if (RESULTS !== undefined) appendFileSync(RESULTS, line);
}

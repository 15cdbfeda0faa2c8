import { createLineLogger, Throttled } from '@magpie/contract';
import type { Target } from '@magpie/routing';
import { expect, it } from 'vitest';
import { createSuspensionLog } from '../../src/delivery/suspension/suspension-log.ts';

/** The part of a target that is read here. */
const target = (consumer: string) => ({ consumer }) as Target;

it('a suspended target is a warning once per suspension, and at most once a minute', () => {
  const logged: string[] = [];
  let [now, began] = [0, 1];
  const said = createSuspensionLog({
    logger: createLineLogger((level, _, message) => void logged.push(`${level} ${message}`)),
    clock: { monotonic: () => now },
  });
  const levels = (...consumers: readonly string[]): readonly string[] => {
    logged.length = 0;
    for (const consumer of consumers) said(target(consumer), new Throttled('busy', 1000), began);
    return logged.map((line) => line.split(' ')[0]!);
  };
  expect(levels('a', 'a', 'b')).toEqual(['warn', 'debug', 'warn']);
  now = 300_000;
  expect(levels('a')).toEqual(['debug']);
  began = 2;
  expect(levels('a', 'a')).toEqual(['warn', 'debug']);
  began = 3;
  now += 59_000;
  expect(levels('a')).toEqual(['debug']);
  now += 1000;
  expect(levels('a')).toEqual(['warn']);
  expect(logged).toEqual(['warn the target a is suspended, it is probed: busy']);
});

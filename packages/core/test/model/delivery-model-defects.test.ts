import type { EventLog } from '@magpie/bus';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { play } from './run.ts';
import { scripts } from './steps.ts';
import { memoryStore } from './world/memory-store.ts';

type Damage = (log: EventLog) => EventLog;

/** A log that does something else with what it is to write. */
const writing =
  (change: (commit: Parameters<EventLog['commit']>[0]) => Parameters<EventLog['commit']>[0]): Damage =>
  (log) => ({ ...log, commit: (commit) => log.commit(change(commit)) });

/** Defects of a log, and what the model must say of them. */
const defects: readonly [name: string, damage: Damage, finding: RegExp][] = [
  [
    'lets floors run ahead of what is settled',
    writing(({ floors = [], ...rest }) => ({ ...rest, floors: floors.map((each) => ({ ...each, floor: null })) })),
    /the floor .* has passed|was removed from the log|never came to/,
  ],
  [
    'forgets refused deliveries',
    writing(({ exceptions = {}, ...rest }) => ({ ...rest, exceptions: { ...exceptions, put: [] } })),
    /never came to/,
  ],
  [
    'loses dead letters',
    writing(({ deadLetters = {}, ...rest }) => ({ ...rest, deadLetters: { ...deadLetters, put: [] } })),
    /dead letter .* is gone/,
  ],
  [
    'knows no duplicates',
    writing(({ append = [], ...rest }) => ({
      ...rest,
      append: append.map((each) => ({ ...each, event: { ...each.event, dedupe: 'redelivered' as const } })),
    })),
    /was stored twice/,
  ],
  [
    'removes events that somebody still needs',
    (log) => ({ ...log, retain: (limits) => log.retain({ ...limits, floor: undefined }) }),
    /was removed from the log|never came to/,
  ],
  [
    'leaves out an event when it reads',
    (log) => ({ ...log, read: async (after, limit) => (await log.read(after, limit)).filter((_, at) => at !== 1) }),
    /never came to|the floor .* has passed/,
  ],
  [
    'reads backwards',
    (log) => ({ ...log, read: async (after, limit) => (await log.read(after, limit)).toReversed() }),
    /was sent .* after|never came to|the floor .* has passed/,
  ],
];

const search = (run: (script: Parameters<typeof play>[0]) => Promise<readonly string[]>) =>
  fc.check(
    fc.asyncProperty(scripts(60), async (script) => {
      const faults = await run(script);
      if (faults.length > 0) throw new Error(faults.join('\n'));
    }),
    { numRuns: 150, seed: 1, endOnFailure: true },
  );

it.each(defects)('finds a log that %s', { timeout: 60_000 }, async (_, damage, finding) => {
  const { errorInstance } = await search((script) => play(script, (now) => memoryStore(now, damage)));
  expect(String(errorInstance)).toMatch(finding);
});

it('finds a link that takes a refusal for a confirmation', { timeout: 60_000 }, async () => {
  const { errorInstance } = await search((script) =>
    play(
      script,
      (now) => memoryStore(now),
      () => undefined,
    ),
  );
  expect(String(errorInstance)).toMatch(/the floor .* has passed|never came to/);
});

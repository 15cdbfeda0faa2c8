import { describe, expect, it } from 'vitest';
import type { Wanted } from './plan.ts';
import { play } from './run.ts';
import {
  confirm,
  crash,
  disk,
  link,
  lose,
  publish,
  refuse,
  reload,
  restart,
  retry,
  target,
  wait,
} from './short-hand.ts';
import type { Step } from './steps.ts';
import { memoryStore, readSlowly } from './world/memory-store.ts';

const a = target();
const tight = target({ onFull: 'dead-letter', backlogBytes: 100 });
/** As wide as a link without a target, so that coming and going does not touch it. */
const wide = target({ window: 8 });
const onlyA = (config = a): Wanted => ({ a: config, b: undefined });

const DAY_AND_HOUR = 90_000_000;

/** Regressions: each is checked for everything the model test checks. */
const cases: readonly [name: string, wanted: Wanted, steps: readonly Step[]][] = [
  ['sends no dead letter after a crash', onlyA(), [publish(1), refuse('a'), crash]],
  [
    'delivers nothing after a crash that a full backlog had made a dead letter',
    onlyA(tight),
    [publish(12, { size: 40 }), crash, crash],
  ],
  [
    'gives up nothing that it has read from the log before the router came to it',
    onlyA(tight),
    [publish(2, { size: 40 }), publish(1, { size: 40 }), crash],
  ],
  [
    'gives up before it begins what it does not read later',
    { a, b: undefined },
    [publish(1), disk(true), reload('b', tight), publish(12, { size: 40 }), disk(false)],
  ],
  [
    'lets intake go on when a reload says that a full backlog holds it no more',
    onlyA(target({ backlogBytes: 100 })),
    [publish(12), publish(12), publish(3), reload('a', target({ onFull: 'drop' })), publish(1)],
  ],
  [
    'goes on after two dead letters of one key are tried again, the later one first',
    onlyA(),
    [
      publish(12),
      wait(DAY_AND_HOUR),
      crash,
      retry(1),
      publish(1, { key: 1 }),
      wait(0),
      retry(0),
      publish(1),
      confirm('a'),
      link('a', false),
      publish(1),
    ],
  ],
  [
    'remembers a dead letter that is tried again twice in a short time',
    onlyA(),
    [publish(1), refuse('a'), retry(), wait(0), refuse('a'), retry(), wait(12), crash],
  ],
  [
    'sends a dead letter once that is tried again while its target comes back',
    onlyA(target({ maxAge: 20_000 })),
    [publish(1), wait(25_000), crash, reload('a'), publish(1), disk(true), reload('a', a), retry()],
  ],
  [
    'sends a dead letter once that is tried again before its target, back again, has begun',
    { a, b: { ...tight, window: 8 } },
    [
      publish(12),
      publish(1, { size: 40 }),
      publish(1, { size: 40 }),
      publish(1),
      reload('b'),
      reload('b', a),
      retry(),
      publish(1),
    ],
  ],
  [
    'keeps what waits for a target when a dead letter of it is tried again before it, back again, has begun',
    { a, b: { ...tight, window: 8 } },
    [
      publish(12),
      publish(1, { size: 40 }),
      publish(1, { size: 40 }),
      publish(1),
      reload('b'),
      reload('b', wide),
      retry(),
      publish(1),
    ],
  ],
  [
    'waits for the dead letters of a target that has gone before it lets it come back',
    onlyA(wide),
    [publish(1), reload('a'), disk(true), refuse('a'), wait(3000), reload('a', wide), refuse('a'), disk(false)],
  ],
  [
    'goes on at once with a target that comes back with nothing but held deliveries',
    onlyA(target({ attempts: 2 })),
    [publish(1), refuse('a'), publish(1), wait(1000), reload('a'), confirm('a'), wait(1000), reload('a', a)],
  ],
  [
    'keeps order when a dead letter is tried again that lies ahead of a strict lane',
    { a, b: target({ order: 'strict', onFull: 'dead-letter', backlogBytes: 100 }) },
    [
      publish(12, { key: 2 }),
      confirm('b'),
      confirm('b'),
      publish(3, { key: 2, size: 40 }),
      confirm('b'),
      { act: 'retry all', target: 'b', reason: 3 },
      confirm('b'),
    ],
  ],
  [
    'keeps order when a reload makes a strict target keep order per key',
    onlyA(target({ order: 'strict', window: 2 })),
    [publish(2), reload('a', target({ window: 2 })), publish(1)],
  ],
  [
    'keeps order per key from a reload on that asks for it',
    onlyA(target({ order: 'none' })),
    [
      publish(12),
      reload('a', target({ order: 'strict', window: 2 })),
      wait(3000),
      publish(3),
      confirm('a'),
      link('a', false),
    ],
  ],
  [
    'does not read the log from its beginning when it starts with too many refused deliveries',
    onlyA(target({ attempts: 2, onFull: 'dead-letter', backlogBytes: 100 })),
    [publish(3, { size: 40 }), refuse('a'), publish(12), retry(), retry(), retry(), reload('a', a), crash, publish(1)],
  ],
  [
    'begins at the oldest event although a crash comes while the log is read',
    onlyA(),
    [
      publish(1),
      confirm('a'),
      wait(150),
      restart,
      disk(true),
      reload('b', target({ start: 'earliest' })),
      { act: 'crash', written: 1 },
    ],
  ],
  [
    'begins at the oldest event although a crash comes while it is made known',
    onlyA(),
    [publish(1), wait(150), disk(true), reload('b', target({ start: 'earliest' })), { act: 'crash', written: 1 }],
  ],
  [
    'begins at the start of a log from which everything has been removed',
    onlyA(),
    [
      publish(1),
      confirm('a'),
      wait(150),
      restart,
      { act: 'retain', maxBytes: 0 },
      reload('b', target({ start: 'earliest' })),
    ],
  ],
  [
    'gives a target that comes back with a full backlog nothing of what came in its absence',
    onlyA(wide),
    [
      link('a', false),
      publish(1),
      reload('a'),
      wait(3000),
      publish(1),
      disk(true),
      reload('a', { ...tight, window: 8 }),
      publish(12, { size: 40 }),
      disk(false),
    ],
  ],
  [
    'takes messages again once everything that filled the backlog of a suspended target has expired',
    onlyA(target({ backlogBytes: 100 })),
    [publish(3, { size: 40, ttl: 1 }), publish(1), publish(1), lose('a')],
  ],
  [
    'keeps for a target what came in the millisecond it was removed in',
    onlyA(wide),
    [link('a', false), publish(1), reload('a'), reload('a', wide)],
  ],
];

describe('a gateway', () => {
  it.each(cases)('%s', async (_, wanted, steps) => {
    for (const pace of [undefined, readSlowly]) {
      expect(await play({ seed: 0, wanted, steps }, (now) => memoryStore(now, pace))).toEqual([]);
    }
  });
});

import { ORPHAN_PIN_MS, originOf } from '@magpie/bus';
import { expect } from 'vitest';
import { appendAll, type BusCases, exception, manualTime, NO_STATE, testEvent, testEvents } from './bench.ts';

/** Known and orphaned consumers, and what they keep from being removed. */
export const consumerCases: BusCases = {
  'a consumer is known from its put on, busy or idle': async (bench) => {
    const log = await bench.open();
    const [first] = await appendAll(log, testEvents(2));
    const put = [
      { consumer: 'idle', since: 5.5 },
      { consumer: 'busy', since: 6 },
    ];
    await log.commit({ consumers: { put }, matched: first!, floors: [{ consumer: 'busy', floor: first! }] });
    const expected = {
      ...NO_STATE,
      matched: first,
      consumers: new Map([
        ['busy', { since: 6 }],
        ['idle', { since: 5.5 }],
      ]),
      floors: new Map([['busy', first]]),
    };
    expect(await log.state()).toEqual(expected);
    expect(await (await bench.reopen()).state()).toEqual(expected);
  },

  'an orphaned consumer keeps its first time, its floor and its exceptions until a put makes it known again': async (
    bench,
  ) => {
    const log = await bench.open();
    const [first] = await appendAll(log, testEvents(1));
    await log.commit({
      consumers: { put: [{ consumer: 'alarms/chat', since: 1 }] },
      floors: [{ consumer: 'alarms/chat', floor: first! }],
      exceptions: { put: [exception(first!)] },
    });
    await log.commit({ consumers: { orphan: [{ consumer: 'alarms/chat', at: 10 }] } });
    await log.commit({
      consumers: {
        orphan: [
          { consumer: 'alarms/chat', at: 20 },
          { consumer: 'never heard of', at: 20 },
        ],
      },
    });
    const orphaned = await (await bench.reopen()).state();
    expect(orphaned.consumers).toEqual(new Map([['alarms/chat', { since: 1, orphanedAt: 10 }]]));
    expect(orphaned.floors).toEqual(new Map([['alarms/chat', first]]));
    expect(orphaned.exceptions).toHaveLength(1);
    const again = await bench.reopen();
    await again.commit({ consumers: { put: [{ consumer: 'alarms/chat', since: 30 }] } });
    expect((await again.state()).consumers).toEqual(new Map([['alarms/chat', { since: 30 }]]));
  },

  'orphans are named with what waits for them: a floor or an exception row': async (bench) => {
    const log = await bench.open();
    const [first] = await appendAll(log, testEvents(1));
    const names = ['behind', 'configured', 'idle', 'retrying'];
    await log.commit({
      consumers: { put: names.map((consumer) => ({ consumer, since: 1 })) },
      floors: ['behind', 'configured'].map((consumer) => ({ consumer, floor: first! })),
      exceptions: { put: [exception(first!, { consumer: 'retrying' })] },
    });
    expect(await log.orphans()).toEqual([]);
    const orphan = names.filter((name) => name !== 'configured').map((consumer) => ({ consumer, at: 10 }));
    await log.commit({ consumers: { orphan } });
    expect(await (await bench.reopen()).orphans()).toEqual([
      { consumer: 'behind', orphanedAt: 10, backlog: true },
      { consumer: 'idle', orphanedAt: 10, backlog: false },
      { consumer: 'retrying', orphanedAt: 10, backlog: true },
    ]);
  },

  'removing a consumer takes its floor and its exceptions along, and nothing of the others': async (bench) => {
    const log = await bench.open();
    const [first, second] = await appendAll(log, testEvents(2));
    const names = ['gone', 'kept'];
    await log.commit({
      consumers: { put: names.map((consumer) => ({ consumer, since: 1 })) },
      floors: names.map((consumer) => ({ consumer, floor: first! })),
      exceptions: {
        put: names.flatMap((consumer) => [exception(first!, { consumer }), exception(second!, { consumer })]),
      },
    });
    await log.commit({ consumers: { remove: ['gone', 'never heard of'] } });
    const state = await (await bench.reopen()).state();
    expect([...state.consumers.keys()]).toEqual(['kept']);
    expect([...state.floors.keys()]).toEqual(['kept']);
    expect(state.exceptions.map(({ consumer }) => consumer)).toEqual(['kept', 'kept']);
  },

  'one commit removes a consumer and starts another of the same name': async ({ open }) => {
    const log = await open();
    const [first, second] = await appendAll(log, testEvents(2));
    const put = [{ consumer: 'a', since: 1 }];
    const row = exception(first!, { consumer: 'a' });
    await log.commit({ consumers: { put }, floors: [{ consumer: 'a', floor: first! }], exceptions: { put: [row] } });
    await log.commit({
      consumers: { remove: ['a'], put: [{ consumer: 'a', since: 2 }] },
      floors: [{ consumer: 'a', floor: second! }],
    });
    expect(await log.state()).toEqual({
      ...NO_STATE,
      consumers: new Map([['a', { since: 2 }]]),
      floors: new Map([['a', second]]),
    });
  },

  'the lowest floor is the lowest of matched and all floors': async ({ open }) => {
    const log = await open();
    const [first, second, third] = await appendAll(log, testEvents(3));
    expect(await log.lowestFloor()).toBe(originOf(first!));
    await log.commit({ matched: second! });
    expect(await log.lowestFloor()).toBe(second);
    await log.commit({ matched: third!, floors: [{ consumer: 'unknown', floor: first! }] });
    expect(await log.lowestFloor()).toBe(first);
    await log.commit({ floors: [{ consumer: 'unknown', floor: null }] });
    expect(await log.lowestFloor()).toBe(third);
  },

  'nothing is removed before it has been matched': async ({ open }) => {
    const log = await open();
    await appendAll(log, testEvents(3));
    expect(await log.retain({ maxAge: 0, maxBytes: 0, floor: await log.lowestFloor() })).toBe(0);
    await log.commit({ matched: log.head()! });
    expect(await log.retain({ maxAge: 0, maxBytes: 0, floor: await log.lowestFloor() })).toBe(3);
  },

  'an orphaned consumer pins the log for a day': async ({ open }) => {
    const clock = manualTime();
    const log = await open({ clock });
    const [first, second] = await appendAll(log, [testEvent(), testEvent()]);
    await log.commit({
      consumers: { put: [{ consumer: 'a', since: 1 }], orphan: [{ consumer: 'a', at: clock.now() }] },
      matched: second!,
      floors: [{ consumer: 'a', floor: first! }],
    });
    clock.advance(ORPHAN_PIN_MS - 1);
    expect(await log.lowestFloor()).toBe(first);
    clock.advance(1);
    expect(await log.lowestFloor()).toBe(second);
    await log.commit({ consumers: { put: [{ consumer: 'a', since: clock.now() }] } });
    expect(await log.lowestFloor()).toBe(first);
  },
};

import type { DeadLetter } from '@magpie/bus';
import { newRef, type OutgoingEvent } from '@magpie/contract';
import { expect } from 'vitest';
import { appendAll, type BusCases, exception, firstOf, NO_STATE, plain, testEvent, testEvents } from './bench.ts';

const deadLetter = (parts: Partial<DeadLetter> = {}): DeadLetter => ({
  id: newRef(),
  at: Date.now(),
  consumer: 'alarms/chat',
  reason: 'rejected',
  error: 'Rejected',
  message: 'no such room',
  attempts: [{ at: 1000, error: 'Rejected', message: 'no such room' }],
  event: testEvent(),
  ...parts,
});

const outgoing = (): OutgoingEvent => ({
  id: 'out-1',
  delivery: 'delivery-1',
  ref: newRef(),
  redelivered: false,
  body: new Uint8Array([1, 0, 255]),
  headers: [['h', [1, new Uint8Array([7]), { deep: null }]]],
  via: ['plant-a'],
  time: 5,
});

/** Floors, exceptions, dead letters and outcomes. */
export const stateCases: BusCases = {
  'matched and floors are kept, a floor of null removes the row': async (bench) => {
    const log = await bench.open();
    const [first, second] = await appendAll(log, testEvents(2));
    await log.commit({
      matched: first!,
      floors: [
        { consumer: 'a', floor: first! },
        { consumer: 'b', floor: first! },
      ],
    });
    await log.commit({
      matched: second!,
      floors: [
        { consumer: 'a', floor: second! },
        { consumer: 'b', floor: null },
      ],
    });
    const expected = { ...NO_STATE, matched: second, floors: new Map([['a', second]]) };
    expect(await log.state()).toEqual(expected);
    expect(await (await bench.reopen()).state()).toEqual(expected);
  },

  'what waits beyond a floor is kept with it, and forgotten with it': async (bench) => {
    const log = await bench.open();
    const [place] = await appendAll(log, testEvents(1));
    const floors = ['a', 'b', 'c', 'd'].map((consumer) => ({ consumer, floor: place! }));
    await log.commit({ floors: floors.map((row, index) => ({ ...row, waiting: 1e10 + index })) });
    await log.commit({ floors: [{ consumer: 'a', floor: null }, floors[1]!, { ...floors[2]!, waiting: 0 }] });
    const expected = new Map([
      ['c', 0],
      ['d', 1e10 + 3],
    ]);
    expect((await log.state()).waiting).toEqual(expected);
    const reopened = await bench.reopen();
    expect((await reopened.state()).waiting).toEqual(expected);
    await reopened.commit({ consumers: { remove: ['d'] } });
    expect((await reopened.state()).waiting).toEqual(new Map([['c', 0]]));
  },

  'a commit is applied as a whole or not at all': async ({ open }) => {
    const log = await open();
    const foreign = firstOf(await appendAll(await open(), [testEvent()]));
    const [known] = await appendAll(log, [testEvent()]);
    const before = log.head();
    const bad = log.commit({
      append: [{ event: testEvent() }],
      matched: known!,
      floors: [
        { consumer: 'a', floor: known! },
        { consumer: 'b', floor: foreign },
      ],
      deadLetters: { put: [deadLetter()] },
    });
    await expect(bad).rejects.toThrow(RangeError);
    expect(log.head()).toBe(before);
    expect(await log.read(undefined, 10)).toHaveLength(1);
    expect(await log.state()).toEqual(NO_STATE);
    expect(await log.stats()).toMatchObject({ events: 1, deadLetters: 0 });
  },

  'a bad commit among good ones fails alone': async ({ open }) => {
    const log = await open();
    const foreign = firstOf(await appendAll(await open(), [testEvent()]));
    const results = await Promise.allSettled([
      log.commit({ append: [{ event: testEvent() }] }),
      log.commit({ append: [{ event: testEvent() }], matched: foreign }),
      log.commit({ append: [{ event: testEvent() }] }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await log.read(undefined, 10)).toHaveLength(2);
  },

  'exceptions are put, replaced and removed with their copy of the event': async (bench) => {
    const log = await bench.open();
    const [first, second] = await appendAll(log, testEvents(2));
    const held = exception(second!, { state: 'held', attempts: [] });
    const { nextAttempt: _, ...heldRow } = held;
    await log.commit({ exceptions: { put: [exception(first!), heldRow] } });
    const blocked = exception(first!, { state: 'blocked', consumer: 'alarms/chat' });
    await log.commit({ exceptions: { put: [blocked, exception(first!, { consumer: 'other' })] } });
    await log.commit({ exceptions: { remove: [{ consumer: 'other', position: first! }] } });
    const stored = (await (await bench.reopen()).state()).exceptions;
    expect(plain(stored)).toEqual(plain([blocked, heldRow]));
  },

  'dead letters are listed by id, filtered and paged': async ({ open }) => {
    const log = await open();
    const letters = Array.from({ length: 10 }, (_, index) =>
      deadLetter({ consumer: index % 2 === 0 ? 'even' : 'odd', reason: index < 5 ? 'age' : 'attempts' }),
    );
    await log.commit({ deadLetters: { put: letters.toReversed() } });
    const ids = async (query: Parameters<typeof log.deadLetters>[0]) =>
      (await log.deadLetters(query)).map(({ id }) => id);
    const expected = (keep: (letter: DeadLetter) => boolean) => letters.filter(keep).map(({ id }) => id);
    expect(await ids({ limit: 100 })).toEqual(expected(() => true));
    expect(await ids({ consumer: 'odd', limit: 100 })).toEqual(expected(({ consumer }) => consumer === 'odd'));
    expect(await ids({ reason: 'age', limit: 100 })).toEqual(expected(({ reason }) => reason === 'age'));
    expect(await ids({ consumer: 'odd', reason: 'age', limit: 100 })).toEqual([letters[1]!.id, letters[3]!.id]);
    expect(await ids({ limit: 3 })).toEqual(expected(() => true).slice(0, 3));
    expect(await ids({ after: letters[2]!.id, limit: 3 })).toEqual(expected(() => true).slice(3, 6));
    expect((await log.stats()).deadLetters).toBe(10);
    await log.commit({ deadLetters: { remove: [letters[0]!.id, 'unknown'] } });
    expect(await log.deadLetter(letters[0]!.id)).toBeUndefined();
    expect(await ids({ limit: 1 })).toEqual([letters[1]!.id]);
  },

  'dead letters are selected by time, source and event': async ({ open }) => {
    const log = await open();
    const sources = ['floor', 'floor-2', 'an "odd" one', 'floor'];
    const letters = sources.map((source, index) =>
      deadLetter({ at: 1000 * (index + 1), event: testEvent({ source }), consumer: index < 2 ? 'a' : 'b' }),
    );
    await log.commit({ deadLetters: { put: letters } });
    const places = async (query: Partial<Parameters<typeof log.deadLetters>[0]>) =>
      (await log.deadLetters({ limit: 100, ...query })).map(({ id }) =>
        letters.findIndex((letter) => letter.id === id),
      );
    expect(await places({ since: 2000 })).toEqual([1, 2, 3]);
    expect(await places({ until: 2000 })).toEqual([0]);
    expect(await places({ since: 2000, until: 4000 })).toEqual([1, 2]);
    expect(await places({ source: 'floor' })).toEqual([0, 3]);
    expect(await places({ source: 'an "odd" one' })).toEqual([2]);
    expect(await places({ source: 'floor', consumer: 'b' })).toEqual([3]);
    expect(await places({ ref: letters[2]!.event.ref })).toEqual([2]);
    expect(await places({ ref: letters[2]!.event.ref, consumer: 'a' })).toEqual([]);
    expect(await places({ ref: 'nothing' })).toEqual([]);
  },

  'many large dead letters are read to the end, however few come at a time': async ({ open }) => {
    const log = await open();
    const body = new Uint8Array(1024 * 1024);
    const letters = Array.from({ length: 20 }, () => deadLetter({ event: testEvent({ body }) }));
    for (const letter of letters) await log.commit({ deadLetters: { put: [letter] } });
    const read: string[] = [];
    for (let after = ''; ; after = read.at(-1)!) {
      const page = await log.deadLetters({ after, limit: 20 });
      if (page.length === 0) break;
      read.push(...page.map(({ id }) => id));
    }
    expect(read).toEqual(letters.map(({ id }) => id));
  },

  'a dead letter comes back with its event and its rendered message': async (bench) => {
    const log = await bench.open();
    const target = {
      address: { scheme: 'room', segments: ['ops'] },
      options: { room: 'ops', nested: [1, { a: null }] },
    };
    const full = deadLetter({ rendered: { outgoing: outgoing(), target } });
    const { consumer: _, ...ingress } = deadLetter({ reason: 'ingress', attempts: [] });
    await log.commit({ deadLetters: { put: [full, ingress] } });
    const reopened = await bench.reopen();
    for (const letter of [full, ingress]) expect(plain(await reopened.deadLetter(letter.id))).toEqual(plain(letter));
  },

  'the state names the dead letters that a floor or an exception row would let come again': async (bench) => {
    const log = await bench.open();
    const places = await appendAll(log, testEvents(4));
    const letters = (consumer: string) => places.map((position) => deadLetter({ consumer, position }));
    await log.commit({
      matched: places[2]!,
      floors: [{ consumer: 'busy', floor: places[1]! }],
      exceptions: { put: [exception(places[0]!, { consumer: 'busy' })] },
      deadLetters: { put: [...letters('busy'), ...letters('idle'), deadLetter({ reason: 'ingress' })] },
    });
    const expected = new Map([
      ['busy', new Set([places[0], places[2], places[3]])],
      ['idle', new Set([places[3]])],
    ]);
    expect((await log.state()).dead).toEqual(expected);
    expect((await (await bench.reopen()).state()).dead).toEqual(expected);
  },

  'outcomes are kept per ref and consumer, the last one counts': async (bench) => {
    const log = await bench.open();
    const ref = newRef();
    const base = { ref, at: 7, attempts: 1 };
    await log.commit({
      outcomes: [
        { ...base, consumer: 'b', state: 'confirmed', confirmedBy: 'puback' },
        { ...base, consumer: 'a', state: 'confirmed' },
        { ...base, ref: newRef(), consumer: 'a', state: 'expired' },
      ],
    });
    await log.commit({ outcomes: [{ ...base, consumer: 'a', state: 'bounced', at: 9, attempts: 3, error: 'gone' }] });
    const reopened = await bench.reopen();
    expect(await reopened.outcomes(ref)).toEqual([
      { ...base, consumer: 'a', state: 'bounced', at: 9, attempts: 3, error: 'gone' },
      { ...base, consumer: 'b', state: 'confirmed', confirmedBy: 'puback' },
    ]);
    expect(await reopened.outcomes(newRef())).toEqual([]);
  },

  'what connections keep outlives the store, each by its own keys': async (bench) => {
    const log = await bench.open();
    const value = (connection: string, key: string, text?: string) => ({ connection, key, value: text });
    await log.commit({ values: [value('chat', 'a', '1'), value('chat', 'b', '2'), value('chat', 'a', 'ü\0"')] });
    await log.commit({ values: [value('floor', 'a', '3'), value('chat', 'b'), value('chat', 'unknown')] });
    const reopened = await bench.reopen();
    expect(await reopened.values('chat')).toEqual(new Map([['a', 'ü\0"']]));
    expect(await reopened.values('floor')).toEqual(new Map([['a', '3']]));
    expect(await reopened.values('nobody')).toEqual(new Map());
  },
};

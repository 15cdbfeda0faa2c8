import type { Append, Appended, EventLog } from '@magpie/bus';
import type { Event } from '@magpie/contract';
import { expect } from 'vitest';
import { type BusCases, firstOf, manualTime, testEvent } from './bench.ts';

const MINUTE = 60_000;

const keyed = (key: string, body = 'same', parts: Partial<Event> = {}): Event =>
  testEvent({ dedupeKey: key, body: Buffer.from(body), ...parts });

async function append(
  log: EventLog,
  event: Event,
  onMismatch?: Append['onMismatch'],
  content?: string,
): Promise<Appended> {
  const entry = {
    event,
    ...(onMismatch === undefined ? {} : { onMismatch }),
    ...(content === undefined ? {} : { content }),
  };
  return firstOf(await log.commit({ append: [entry] }));
}

/** The dedupe window. */
export const dedupeCases: BusCases = {
  'a repeated key with the same content is a duplicate of the first event': async (bench) => {
    const log = await bench.open();
    const first = keyed('k');
    const stored = await append(log, first);
    const expected = { type: 'duplicate', position: stored.position, ref: first.ref };
    expect(await append(log, keyed('k'))).toEqual(expected);
    const reopened = await bench.reopen();
    expect(await append(reopened, keyed('k'))).toEqual(expected);
    expect(await reopened.read(undefined, 10)).toHaveLength(1);
  },

  'a repeat within one commit, or in commits made at once, is a duplicate': async ({ open }) => {
    const log = await open();
    const [one, two, three] = [keyed('k'), keyed('k'), keyed('other')];
    const verdicts = await log.commit({ append: [one, two, three].map((event) => ({ event })) });
    expect(verdicts.map(({ type }) => type)).toEqual(['stored', 'duplicate', 'stored']);
    expect(verdicts[1]).toMatchObject({ ref: one.ref, position: verdicts[0]!.position });
    const racing = await Promise.all([append(log, keyed('race')), append(log, keyed('race')), append(log, keyed('k'))]);
    expect(racing.map(({ type }) => type)).toEqual(['stored', 'duplicate', 'duplicate']);
    expect((await log.stats()).events).toBe(3);
    expect(log.head()).toBe(racing[0].position);
  },

  'events without a key are never duplicates': async ({ open }) => {
    const log = await open();
    const event = testEvent();
    expect(await append(log, event)).toMatchObject({ type: 'stored' });
    expect(await append(log, event)).toMatchObject({ type: 'stored' });
  },

  'a known key with another body or address is appended as a mismatch, or refused on request': async ({ open }) => {
    const log = await open();
    const first = keyed('k');
    const stored = await append(log, first);
    const refused = { type: 'refused', position: stored.position, ref: first.ref };
    expect(await append(log, keyed('k', 'other'), 'refuse')).toEqual(refused);
    const elsewhere = { address: { scheme: 'topic', segments: ['elsewhere'] } };
    expect(await append(log, keyed('k', 'same', elsewhere), 'refuse')).toEqual(refused);
    expect(await append(log, keyed('k', 'other'))).toMatchObject({ type: 'stored', mismatch: true });
    expect(await append(log, keyed('k', 'same', elsewhere), 'append')).toMatchObject({
      type: 'stored',
      mismatch: true,
    });
    expect(await append(log, keyed('k', 'same'), 'refuse')).toMatchObject({ type: 'duplicate', ref: first.ref });
    expect(await log.read(undefined, 10)).toHaveLength(3);
  },

  'what else is said to identify a message is compared as well, also after the log is opened again': async (bench) => {
    const log = await bench.open();
    const first = keyed('k');
    await append(log, first, 'refuse', 'one');
    const reopened = await bench.reopen();
    expect(await append(reopened, keyed('k'), 'refuse', 'one')).toMatchObject({ type: 'duplicate', ref: first.ref });
    expect(await append(reopened, keyed('k'), 'refuse', 'two')).toMatchObject({ type: 'refused', ref: first.ref });
    expect(await append(reopened, keyed('k'), 'refuse')).toMatchObject({ type: 'refused', ref: first.ref });
  },

  'a redelivery of a mismatching event is a duplicate of it': async ({ open }) => {
    const log = await open();
    await append(log, keyed('k', 'one'));
    const second = keyed('k', 'two');
    await append(log, second);
    expect(await append(log, keyed('k', 'two'))).toMatchObject({ type: 'duplicate', ref: second.ref });
  },

  'a key that counts on second deliveries only is remembered always and compared on those': async (bench) => {
    const log = await bench.open();
    const first = keyed('k', 'same', { dedupe: 'redelivered' });
    const stored = await append(log, first);
    const other = keyed('k', 'same', { dedupe: 'redelivered', redelivered: false });
    expect(await append(log, other)).toEqual({ type: 'stored', position: expect.anything() });
    const changed = keyed('k', 'other', { dedupe: 'redelivered' });
    expect(await append(log, changed, 'refuse')).toEqual({ type: 'stored', position: expect.anything() });
    const again = { dedupe: 'redelivered', redelivered: true } as const;
    const reopened = await bench.reopen();
    expect(await append(reopened, keyed('k', 'same', again))).toEqual({
      type: 'duplicate',
      position: stored.position,
      ref: first.ref,
    });
    expect(await append(reopened, keyed('k', 'other', again))).toMatchObject({ type: 'duplicate', ref: changed.ref });
    expect(await append(reopened, keyed('k', 'third', again), 'refuse')).toMatchObject({ type: 'refused' });
    expect(await append(reopened, keyed('k', 'third', again))).toMatchObject({ type: 'stored', mismatch: true });
    expect(await append(reopened, keyed('new', 'same', again))).toMatchObject({ type: 'stored' });
  },

  'a second delivery within the same commit is a duplicate of the first': async ({ open }) => {
    const log = await open();
    const first = keyed('k', 'same', { dedupe: 'redelivered' });
    const second = keyed('k', 'same', { dedupe: 'redelivered', redelivered: true });
    const verdicts = await log.commit({ append: [{ event: first }, { event: second }] });
    expect(verdicts.map(({ type }) => type)).toEqual(['stored', 'duplicate']);
    expect(verdicts[1]).toMatchObject({ position: verdicts[0]!.position, ref: first.ref });
  },

  'keys compared always and keys compared on second deliveries share one window': async ({ open }) => {
    const log = await open();
    const first = keyed('k', 'same', { dedupe: 'redelivered' });
    await append(log, first);
    expect(await append(log, keyed('k'))).toMatchObject({ type: 'duplicate', ref: first.ref });
    expect(await append(log, keyed('k', 'same', { dedupe: 'always' }))).toMatchObject({ type: 'duplicate' });
  },

  'a key used for ever new contents costs no more than any other': async ({ open }) => {
    const log = await open();
    const append = Array.from({ length: 2000 }, (_, index) => ({ event: keyed('constant', `body ${index}`) }));
    const verdicts = await log.commit({ append });
    expect(verdicts.every(({ type }) => type === 'stored')).toBe(true);
  },

  'a key is forgotten after the window of time': async (bench) => {
    const time = manualTime();
    const options = { clock: time, dedupe: { windowMs: 10 * MINUTE } };
    const log = await bench.open(options);
    await append(log, keyed('k'));
    time.advance(10 * MINUTE - 1);
    expect(await append(log, keyed('k'))).toMatchObject({ type: 'duplicate' });
    const reopened = await bench.reopen(options);
    expect(await append(reopened, keyed('k'))).toMatchObject({ type: 'duplicate' });
    time.advance(1);
    expect(await append(reopened, keyed('k'))).toMatchObject({ type: 'stored' });
  },

  'keys do not age while their source has no connection, however long, and those of other sources do': async (
    bench,
  ) => {
    const time = manualTime();
    const log = await bench.open({ clock: time, dedupe: { windowMs: 10 * MINUTE } });
    const of = (source: string, key: string) => append(log, keyed(`${source} ${key}`, 'same', { source }));
    await of('erp', 'old');
    time.advance(4 * MINUTE);
    await of('erp', 'k');
    await of('floor', 'k');
    log.linked('erp', false);
    time.advance(60 * MINUTE);
    log.linked('erp', false);
    expect(await of('floor', 'k')).toMatchObject({ type: 'stored' });
    expect(await of('erp', 'k'), 'while it is down').toMatchObject({ type: 'duplicate' });
    log.linked('erp', true);
    log.linked('erp', true);
    time.advance(5 * MINUTE);
    log.linked('erp', false);
    time.advance(60 * MINUTE);
    log.linked('erp', true);
    expect(await of('erp', 'old')).toMatchObject({ type: 'duplicate' });
    time.advance(MINUTE);
    expect(await of('erp', 'old'), 'ten minutes of connection later').toMatchObject({ type: 'stored' });
    expect(await of('erp', 'k')).toMatchObject({ type: 'duplicate' });
    time.advance(4 * MINUTE);
    expect(await of('erp', 'k')).toMatchObject({ type: 'stored' });
  },

  'keys of a source without connection are forgotten beyond the window of count': async (bench) => {
    const time = manualTime();
    const log = await bench.open({ clock: time, dedupe: { windowMs: 10 * MINUTE, count: 100 } });
    const first = keyed('first', 'same', { source: 'erp' });
    await append(log, first);
    log.linked('erp', false);
    for (let index = 0; index < 99; index++) await append(log, keyed(`k${index}`));
    time.advance(60 * MINUTE);
    expect(await append(log, { ...first, ref: 'again' })).toMatchObject({ type: 'duplicate' });
    await append(log, keyed('one more'));
    expect(await append(log, { ...first, ref: 'again' })).toMatchObject({ type: 'stored' });
  },

  'the oldest keys are forgotten beyond the window of count': async (bench) => {
    const options = { dedupe: { count: 100 } };
    const log = await bench.open(options);
    for (let index = 0; index < 150; index++) await append(log, keyed(`k${index}`));
    const check = async (target: EventLog) => {
      const known = { type: 'duplicate' };
      expect(await append(target, keyed('k149'))).toMatchObject(known);
      expect(await append(target, keyed('k50'))).toMatchObject(known);
    };
    await check(log);
    await check(await bench.reopen(options));
    const last = await bench.reopen(options);
    expect(await append(last, keyed('k49'))).toMatchObject({ type: 'stored' });
  },

  'a key outlives the event that retention has removed': async (bench) => {
    const log = await bench.open();
    const first = keyed('k');
    const { position } = await append(log, first);
    await log.retain({ maxAge: 1e12, maxBytes: 0, floor: undefined });
    expect(await log.find(first.ref)).toBeUndefined();
    expect(await append(await bench.reopen(), keyed('k'))).toEqual({ type: 'duplicate', position, ref: first.ref });
  },

  'many keys in many small commits all stay known over a reopen': async (bench) => {
    const log = await bench.open();
    const count = 1500;
    for (let round = 0; round < count; round += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => append(log, keyed(`m${round + index}`))));
      if (round % 100 === 0) await append(log, keyed(`single${round}`));
    }
    const reopened = await bench.reopen();
    const repeats = Array.from({ length: count }, (_, index) => ({ event: keyed(`m${index}`) }));
    const verdicts = await reopened.commit({ append: repeats });
    expect(verdicts.filter(({ type }) => type !== 'duplicate')).toEqual([]);
    expect(new Set(verdicts.map(({ position }) => position)).size).toBe(count);
  },
};

import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Event, newRef } from '@magpie/contract';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type EventLog, openLog } from '../../src/index.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Wall time that stands still until it is set. */
function settable(start = 1_800_000_000_000) {
  let time = start;
  return {
    now: () => time,
    advance: (ms: number) => {
      time += ms;
    },
  };
}

const keyed = (dedupeKey: string, source = 's'): Event => ({
  ...{ ref: newRef(), source, address: { scheme: 'topic', segments: ['a'] }, kind: 'message', key: 'a' },
  ...{ time: 1, receivedAt: 1, body: Buffer.from('same'), headers: [], via: [], origin: {}, dedupeKey },
});

const append = async (log: EventLog, key: string, source?: string): Promise<string> =>
  (await log.commit({ append: [{ event: keyed(key, source) }] }))[0]!.type;

const directory = (): string => {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  return path;
};

it('a key from before the clock was set back is forgotten after the window, as are those that follow it', async () => {
  const [dataDir, clock] = [directory(), settable()];
  const options = { dataDir, reserveBytes: 0, minFreeBytes: 0, clock, dedupe: { windowMs: 10 * MINUTE } };
  const before = await openLog({ store: 'sqlite', ...options });
  await append(before, 'old');
  await before.close();
  clock.advance(-DAY);
  const log = await openLog({ store: 'sqlite', ...options });
  await append(log, 'new');
  expect(await append(log, 'old')).toBe('duplicate');
  clock.advance(10 * MINUTE);
  expect(await append(log, 'old')).toBe('stored');
  expect(await append(log, 'new')).toBe('stored');
  await log.close();
});

it('the real wall clock may be set forward without an end of the window, now or after a restart', async () => {
  const dataDir = directory();
  const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
  await append(log, 'k');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + DAY });
  onTestFinished(() => void vi.useRealTimers());
  expect(await append(log, 'k')).toBe('duplicate');
  await append(log, 'later');
  await log.close();
  const reopened = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
  expect(await append(reopened, 'later')).toBe('duplicate');
  await reopened.close();
});

it('a window does not age while the log is closed', async () => {
  const [dataDir, clock] = [directory(), settable()];
  const options = { dataDir, reserveBytes: 0, minFreeBytes: 0, clock, dedupe: { windowMs: 10 * MINUTE } };
  const first = await openLog({ store: 'sqlite', ...options });
  await append(first, 'k');
  clock.advance(4 * MINUTE);
  await first.close();
  clock.advance(DAY);
  const second = await openLog({ store: 'sqlite', ...options });
  clock.advance(5 * MINUTE);
  await second.close();
  clock.advance(DAY);
  const third = await openLog({ store: 'sqlite', ...options });
  expect(await append(third, 'k')).toBe('duplicate');
  clock.advance(MINUTE);
  expect(await append(third, 'k')).toBe('stored');
  await third.close();
});

it('an outage of a source spans restarts of the gateway, and one that is not configured any more keeps nothing', async () => {
  const [dataDir, clock] = [directory(), settable()];
  const options = { dataDir, reserveBytes: 0, minFreeBytes: 0, clock, dedupe: { windowMs: 10 * MINUTE } };
  const first = await openLog({ store: 'sqlite', ...options });
  for (const source of ['erp', 'gone']) {
    await append(first, source, source);
    first.linked(source, false);
  }
  clock.advance(60 * MINUTE);
  await first.close();
  const second = await openLog({ store: 'sqlite', ...options });
  second.linked('erp', false);
  clock.advance(60 * MINUTE);
  second.linked('erp', true);
  expect(await append(second, 'erp', 'erp')).toBe('duplicate');
  expect(await append(second, 'gone', 'gone')).toBe('stored');
  await second.close();
});

it('a log that was killed has aged by no more than what was saved with the last retention', async () => {
  const [dataDir, clock, copy] = [directory(), settable(), directory()];
  const options = { dataDir, reserveBytes: 0, minFreeBytes: 0, clock, dedupe: { windowMs: 10 * MINUTE } };
  const log = await openLog({ store: 'sqlite', ...options });
  onTestFinished(() => log.close());
  await append(log, 'k');
  clock.advance(9 * MINUTE);
  await log.retain({ maxAge: DAY, maxBytes: 1e9, floor: undefined });
  clock.advance(MINUTE - 1);
  for (const file of readdirSync(dataDir)) cpSync(join(dataDir, file), join(copy, file));
  const reopened = await openLog({ store: 'sqlite', ...options, dataDir: copy });
  expect(await append(reopened, 'k')).toBe('duplicate');
  clock.advance(MINUTE);
  expect(await append(reopened, 'k')).toBe('stored');
  await reopened.close();
});

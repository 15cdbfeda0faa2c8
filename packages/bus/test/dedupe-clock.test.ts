import { type Event, newRef } from '@magpie/contract';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type EventLog, openSqliteLog } from '../src/index.ts';
import { temporaryDirectory } from './temporary.ts';

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

const keyed = (dedupeKey: string): Event => ({
  ...{ ref: newRef(), source: 's', address: { scheme: 'topic', segments: ['a'] }, kind: 'message', key: 'a' },
  ...{ time: 1, receivedAt: 1, body: Buffer.from('same'), headers: [], via: [], origin: {}, dedupeKey },
});

const append = async (log: EventLog, key: string): Promise<string> =>
  (await log.commit({ append: [{ event: keyed(key) }] }))[0]!.type;

const directory = (): string => {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  return path;
};

it('a key from before the clock was set back is forgotten after the window, as are those that follow it', async () => {
  const [dataDir, clock] = [directory(), settable()];
  const options = { dataDir, reserveBytes: 0, minFreeBytes: 0, clock, dedupe: { windowMs: 10 * MINUTE } };
  const before = await openSqliteLog(options);
  await append(before, 'old');
  await before.close();
  clock.advance(-DAY);
  const log = await openSqliteLog(options);
  await append(log, 'new');
  expect(await append(log, 'old')).toBe('duplicate');
  clock.advance(10 * MINUTE);
  expect(await append(log, 'old')).toBe('stored');
  expect(await append(log, 'new')).toBe('stored');
  await log.close();
});

it('the real wall clock may be set forward without an end of the window, now or after a restart', async () => {
  const dataDir = directory();
  const log = await openSqliteLog({ dataDir, reserveBytes: 0, minFreeBytes: 0 });
  await append(log, 'k');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + DAY });
  onTestFinished(() => void vi.useRealTimers());
  expect(await append(log, 'k')).toBe('duplicate');
  await append(log, 'later');
  await log.close();
  const reopened = await openSqliteLog({ dataDir, reserveBytes: 0, minFreeBytes: 0 });
  expect(await append(reopened, 'later')).toBe('duplicate');
  await reopened.close();
});

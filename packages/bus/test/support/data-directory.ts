import { join } from 'node:path';
import { type Event, newRef } from '@magpie/contract';
import { expect, onTestFinished } from 'vitest';
import { type EventLog, openLog, type SqliteLogOptions } from '../../src/index.ts';
import { startChild } from './children.ts';
import { temporaryDirectory } from './temporary.ts';

/** The path of a data directory that is not there yet; gone with the test. */
export const directory = (): string => {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  return join(path, 'data');
};

/** Opens the SQLite store without a reserve or room to keep free. */
export const open = (dataDir: string, options: Partial<SqliteLogOptions> = {}) =>
  openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0, ...options });

const event = (): Event => ({
  ref: newRef(),
  source: 's',
  address: { scheme: 'topic', segments: ['a'] },
  kind: 'message',
  key: 'a',
  time: 1,
  receivedAt: Date.now(),
  body: new Uint8Array(10),
  headers: [],
  via: [],
  origin: {},
});

/** Appends one event and returns its position. */
export const append = async (log: EventLog): Promise<string> =>
  (await log.commit({ append: [{ event: event() }] }))[0]!.position;

/** A data directory whose process was killed while its write-ahead log held events. */
export async function killed(): Promise<string> {
  const dataDir = directory();
  const child = await startChild('child-appender.ts', [dataDir]);
  await expect.poll(() => child.stdout().split('\n').length, { timeout: 20_000 }).toBeGreaterThan(20);
  await child.kill();
  return dataDir;
}

/** A data directory with one event whose log was closed, and the position of the event. */
export async function closed(): Promise<{ readonly dataDir: string; readonly position: string }> {
  const dataDir = directory();
  const log = await open(dataDir);
  const position = await append(log);
  await log.close();
  return { dataDir, position };
}

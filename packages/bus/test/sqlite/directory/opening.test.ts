import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createLineLogger, type Event, newRef } from '@magpie/contract';
import { expect, it, onTestFinished, vi } from 'vitest';
import { LogFailed, LogLocked, LogRefused, openLog, type SqliteLogOptions } from '../../../src/index.ts';
import { startChild } from '../../support/children.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

const directory = (): string => {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  return path;
};

const open = (dataDir: string, options: Partial<SqliteLogOptions> = {}) =>
  openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0, ...options });

const event = (body: Uint8Array): Event => ({
  ref: newRef(),
  source: 's',
  address: { scheme: 'topic', segments: ['a'] },
  kind: 'message',
  key: 'a',
  time: 1,
  receivedAt: Date.now(),
  body,
  headers: [],
  via: [],
  origin: {},
});

/** A closed log with 50 events whose bodies are easy to find in the file. */
async function filled(): Promise<string> {
  const dataDir = directory();
  const log = await open(dataDir);
  const append = Array.from({ length: 50 }, (_, index) => ({
    event: event(Buffer.from(`payload-${index}-`.repeat(40))),
  }));
  await log.commit({ append });
  await log.close();
  return dataDir;
}

it('refuses a directory that another process has, naming the directory and the process', async () => {
  const dataDir = directory();
  const child = await startChild('child-appender.ts', [dataDir]);
  await child.says(/^ready$/m);
  await expect(open(dataDir)).rejects.toThrow(LogLocked);
  await expect(open(dataDir)).rejects.toThrow(`${dataDir} is in use by process ${child.pid}: stop it first`);
});

it('refuses a second log of the same directory in one process, and frees it on close', async () => {
  const dataDir = directory();
  const log = await open(dataDir);
  await expect(open(dataDir)).rejects.toThrow(LogLocked);
  await log.close();
  await (await open(dataDir)).close();
});

it('creates a missing data directory, parents included', async () => {
  const dataDir = join(directory(), 'deep', 'er');
  await (await open(dataDir)).close();
  expect(statSync(join(dataDir, 'log.db')).size).toBeGreaterThan(0);
});

it('refuses a log of a newer schema and leaves it as it was', async () => {
  const dataDir = await filled();
  const db = new DatabaseSync(join(dataDir, 'log.db'));
  db.exec("UPDATE meta SET value = 99 WHERE name = 'schema'; PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  const before = readFileSync(join(dataDir, 'log.db'));
  await expect(open(dataDir)).rejects.toThrow(LogRefused);
  await expect(open(dataDir)).rejects.toThrow('schema version 99, this version of Magpie knows up to 4');
  expect(readFileSync(join(dataDir, 'log.db')).equals(before)).toBe(true);
});

it('refuses a database that is not an event log', async () => {
  const dataDir = directory();
  const db = new DatabaseSync(join(dataDir, 'log.db'));
  db.exec('CREATE TABLE other (a)');
  db.close();
  await expect(open(dataDir)).rejects.toThrow('is a database but not an event log');
});

it('refuses a file that is not a database', async () => {
  const dataDir = directory();
  writeFileSync(join(dataDir, 'log.db'), 'this is not a database, '.repeat(1000));
  await expect(open(dataDir)).rejects.toThrow(LogFailed);
  await expect(open(dataDir)).rejects.toThrow('not a database');
});

it('reports a truncated file as LogFailed', async () => {
  const dataDir = await filled();
  truncateSync(join(dataDir, 'log.db'), 8192);
  const attempt = open(dataDir).then(async (log) => {
    onTestFinished(() => log.close());
    await log.read(undefined, 100);
  });
  await expect(attempt).rejects.toThrow(LogFailed);
});

it('says why when the data directory cannot be made', async () => {
  const file = join(directory(), 'file');
  writeFileSync(file, '');
  await expect(open(join(file, 'data'))).rejects.toThrow(LogRefused);
  await expect(open(join(file, 'data'))).rejects.toThrow(/data cannot be used: ENOTDIR.*It must be a directory/);
});

it.skipIf(process.platform !== 'linux')(
  'a directory that no file system can make is refused with a sentence',
  async () => {
    await expect(open('/proc/nope/data')).rejects.toThrow(
      /\/proc\/nope\/data cannot be used: ENOENT.*It must be a directory/,
    );
  },
);

it('skips a record with a flipped byte, reports it and delivers all others unchanged', async () => {
  const dataDir = await filled();
  const file = join(dataDir, 'log.db');
  const bytes = readFileSync(file);
  // The database leaves copies behind where it has moved rows.
  for (let at = bytes.indexOf('payload-25-'); at >= 0; at = bytes.indexOf('payload-25-', at)) bytes.write('X', at + 5);
  writeFileSync(file, bytes);
  const line = vi.fn();
  const logger = createLineLogger(line);
  const log = await open(dataDir, { logger });
  onTestFinished(() => log.close());
  const events = await log.read(undefined, 100);
  const expected = Array.from({ length: 50 }, (_, index) => `payload-${index}-`.repeat(40)).toSpliced(25, 1);
  expect(events.map(({ event: { body } }) => Buffer.from(body).toString())).toEqual(expected);
  const position = events[24]!.position.replace(/\d+$/, '26');
  expect(line).toHaveBeenCalledWith(
    'error',
    { position, reason: 'the checksum is wrong' },
    expect.stringContaining('damaged'),
  );
  expect(await log.read(events[24]!.position, 1)).toEqual([events[25]]);
  expect(line.mock.calls, 'once, however often it is read').toHaveLength(1);
  expect(log.alarms()).toEqual([expect.stringMatching(/^the event log has skipped 1 damaged record, .* at .*:0:26: /)]);
});

it('opens where an earlier process left a half-created directory', async () => {
  const dataDir = directory();
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, 'log.db'), '');
  const log = await open(dataDir);
  expect(log.head()).toBeUndefined();
  await log.close();
});

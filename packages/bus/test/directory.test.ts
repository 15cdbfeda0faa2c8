import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createLineLogger, type Event, newRef } from '@magpie/contract';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type EventLog, LogFailed, LogLocked, LogRefused, openLog, type SqliteLogOptions } from '../src/index.ts';
import { startChild } from './children.ts';
import { mountRefusal, remount, smallDisk, temporaryDirectory } from './temporary.ts';

vi.setConfig({ testTimeout: 60_000 });

const directory = (): string => {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  return join(path, 'data');
};

const open = (dataDir: string, options: Partial<SqliteLogOptions> = {}) =>
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

const append = async (log: EventLog): Promise<string> =>
  (await log.commit({ append: [{ event: event() }] }))[0]!.position;

/** A data directory whose process was killed while its write-ahead log held events. */
async function killed(): Promise<string> {
  const dataDir = directory();
  const child = await startChild('./child-appender.ts', [dataDir]);
  await expect.poll(() => child.stdout().split('\n').length, { timeout: 20_000 }).toBeGreaterThan(20);
  await child.kill();
  return dataDir;
}

/** A data directory with one event that was closed in good order, and the position of the event. */
async function closed(): Promise<{ readonly dataDir: string; readonly position: string }> {
  const dataDir = directory();
  const log = await open(dataDir);
  const position = await append(log);
  await log.close();
  return { dataDir, position };
}

describe('a data directory that changes while its log is open', () => {
  const log = (dataDir: string): string => join(dataDir, 'log.db');
  const LOSSES: readonly [string, string, (dataDir: string) => void][] = [
    ['the directory is removed', 'data was removed', (dataDir) => rmSync(dataDir, { recursive: true })],
    ['the directory is moved away', 'data was removed', (dataDir) => renameSync(dataDir, `${dataDir}.moved`)],
    [
      'another directory takes its place',
      'data was replaced by another',
      (dataDir) => {
        renameSync(dataDir, `${dataDir}.moved`);
        mkdirSync(dataDir);
      },
    ],
    ['log.db is removed', 'log.db was removed', (dataDir) => rmSync(log(dataDir))],
    [
      'log.db is replaced by a copy',
      'log.db was replaced by another',
      (dataDir) => {
        copyFileSync(log(dataDir), join(dataDir, 'copy'));
        renameSync(join(dataDir, 'copy'), log(dataDir));
      },
    ],
    ['the write-ahead log is removed', 'log.db-wal was removed', (dataDir) => rmSync(`${log(dataDir)}-wal`)],
    ['the lock is removed', 'lock.db was removed', (dataDir) => rmSync(join(dataDir, 'lock.db'))],
  ];

  it.each(LOSSES)('%s: the log fails at once, though nobody commits', async (_, sentence, lose) => {
    const dataDir = directory();
    const failed = Promise.withResolvers<LogFailed>();
    const opened = await open(dataDir, { onFailed: failed.resolve });
    await append(opened);
    lose(dataDir);
    const error = await failed.promise;
    expect(error).toBeInstanceOf(LogFailed);
    expect(error.message).toContain(`${sentence} while it was in use`);
    expect(error.message).toMatch(/Nothing more is acknowledged\. Put back what was there/);
    await expect(append(opened)).rejects.toBe(error);
    await opened.close();
  });

  it.each(LOSSES)('%s: what is committed afterwards is not acknowledged', async (_, sentence, lose) => {
    const dataDir = directory();
    const opened = await open(dataDir);
    await append(opened);
    lose(dataDir);
    await expect(append(opened)).rejects.toThrow(sentence);
    await opened.close();
  });

  it('a second process finds the log in use though lock.db was removed, and the first one stops', async () => {
    const dataDir = directory();
    const child = await startChild('./child-appender.ts', [dataDir]);
    await child.says(/^ready$/m);
    process.kill(child.pid, 'SIGSTOP');
    rmSync(join(dataDir, 'lock.db'));
    await expect(open(dataDir)).rejects.toThrow(LogLocked);
    await expect(open(dataDir)).rejects.toThrow(/log\.db is open in another process, though its lock was free/);
    process.kill(child.pid, 'SIGCONT');
    expect(await child.exited()).not.toBe(0);
    expect(child.stderr()).toMatch(/lock\.db was (removed|replaced by another) while it was in use/);
  });

  it('a log that has failed leaves the files of whoever comes after it alone', async () => {
    const dataDir = directory();
    const failed = Promise.withResolvers<LogFailed>();
    const first = await open(dataDir, { onFailed: failed.resolve });
    await append(first);
    renameSync(dataDir, `${dataDir}.moved`);
    await failed.promise;
    const second = await open(dataDir);
    await append(second);
    await first.close();
    expect(existsSync(join(dataDir, 'log.db-wal'))).toBe(true);
    await append(second);
    await second.close();
    await rm(`${dataDir}.moved`);
  });

  const rm = async (path: string): Promise<void> => rmSync(path, { recursive: true });
});

describe('a data directory in which something is missing at the start', () => {
  it('is refused when the write-ahead log of a killed process is gone, and says what to do', async () => {
    const dataDir = await killed();
    rmSync(join(dataDir, 'log.db-wal'));
    const before = readdirSync(dataDir);
    for (const _ of [1, 2]) {
      await expect(open(dataDir)).rejects.toThrow(LogRefused);
      await expect(open(dataDir)).rejects.toThrow(
        /log\.db-wal is missing: the last commits .* start once with --accept-loss/,
      );
    }
    expect(readdirSync(dataDir)).toEqual(before);
  });

  it('opens without the write-ahead log when the loss is accepted, and takes no position of before', async () => {
    const { dataDir, position } = await closed();
    const child = await startChild('./child-exit.ts', [dataDir]);
    expect(await child.exited()).toBe(70);
    rmSync(join(dataDir, 'log.db-wal'));
    const log = await open(dataDir, { acceptLoss: true });
    expect(await log.read(undefined, 10)).toHaveLength(1);
    expect(log.parsePosition(position)).toBeUndefined();
    await append(log);
    await log.close();
    await (await open(dataDir)).close();
  });

  it.each(['removed', 'emptied'])('is refused when log.db was %s', async (how) => {
    const { dataDir, position } = await closed();
    const file = join(dataDir, 'log.db');
    if (how === 'removed') rmSync(file);
    else truncateSync(file, 0);
    await expect(open(dataDir)).rejects.toThrow(LogRefused);
    await expect(open(dataDir)).rejects.toThrow(/log\.db is (missing|empty), but there was a log .* --accept-loss/);
    const log = await open(dataDir, { acceptLoss: true });
    expect(log.head()).toBeUndefined();
    expect(log.parsePosition(position)).toBeUndefined();
    await append(log);
    await log.close();
    await (await open(dataDir)).close();
  });

  it('is refused when only the reserve tells that there was a log', async () => {
    const { dataDir } = await closed();
    for (const file of ['log.db', 'marker']) rmSync(join(dataDir, file));
    writeFileSync(join(dataDir, 'reserve'), new Uint8Array(100));
    await expect(open(dataDir)).rejects.toThrow(/log\.db is missing/);
  });

  it('keeps the write-ahead log of a missing log when the loss is accepted', async () => {
    const dataDir = await killed();
    rmSync(join(dataDir, 'log.db'));
    await (await open(dataDir, { acceptLoss: true })).close();
    expect(readdirSync(dataDir).some((name) => name.startsWith('log.db-wal.lost-'))).toBe(true);
  });

  it('is refused when log.db is one of another directory', async () => {
    const [{ dataDir }, other] = [await closed(), await closed()];
    copyFileSync(join(other.dataDir, 'log.db'), join(dataDir, 'log.db'));
    await expect(open(dataDir)).rejects.toThrow(/log\.db is not the log that was here before/);
    const log = await open(dataDir, { acceptLoss: true });
    expect(log.parsePosition(other.position)).toBeUndefined();
    await log.close();
  });

  it('opens after a clean end, after a kill, and after an end without closing', async () => {
    const { dataDir, position } = await closed();
    expect(readdirSync(dataDir).filter((name) => name.startsWith('log.db'))).toEqual(['log.db']);
    const again = await open(dataDir);
    expect(again.head()).toBe(position);
    await again.close();
    const child = await startChild('./child-exit.ts', [dataDir]);
    expect(await child.exited()).toBe(70);
    const log = await open(dataDir, { acceptLoss: false });
    expect(log.head()).toBe(child.stdout().trim());
    await log.close();
    const crashed = await open(await killed());
    expect((await crashed.stats()).events).toBeGreaterThan(10);
    await crashed.close();
  });

  it('accepting a loss where nothing is missing changes nothing', async () => {
    const { dataDir, position } = await closed();
    const log = await open(dataDir, { acceptLoss: true });
    expect(log.parsePosition(position)).toBe(position);
    await log.close();
  });
});

describe.skipIf(process.platform === 'win32')('who may read a data directory', () => {
  const modesIn = (dataDir: string): Record<string, string> =>
    Object.fromEntries(
      ['.', ...readdirSync(dataDir)].map((name) => [name, (statSync(join(dataDir, name)).mode & 0o777).toString(8)]),
    );
  const PRIVATE = ['log.db', 'log.db-shm', 'log.db-wal', 'lock.db', 'lock.pid', 'marker', 'reserve'];
  const expected = Object.fromEntries([['.', '700'], ...PRIVATE.map((name) => [name, '600'])]);

  it.each([0, 0o022, 0o777])('its owner alone, whatever the umask is (%i)', async (umask) => {
    const dataDir = directory();
    const before = process.umask(umask);
    onTestFinished(() => void process.umask(before));
    const log = await open(dataDir, { reserveBytes: 1000 });
    await append(log);
    await expect.poll(() => existsSync(join(dataDir, 'reserve'))).toBe(true);
    process.umask(before);
    expect(modesIn(dataDir)).toEqual(expected);
    await log.close();
  });

  it('files that others could read are closed to them, of the directory it is only said', async () => {
    const { dataDir } = await closed();
    chmodSync(dataDir, 0o755);
    for (const name of readdirSync(dataDir)) chmodSync(join(dataDir, name), 0o644);
    const lines: string[] = [];
    const logger = createLineLogger((level, _, message) => lines.push(`${level} ${message}`));
    const log = await open(dataDir, { logger });
    await log.close();
    const { '.': own, ...files } = modesIn(dataDir);
    expect(own).toBe('755');
    expect(new Set(Object.values(files))).toEqual(new Set(['600']));
    expect(lines).toContainEqual(`info ${dataDir}/log.db could be read by other users; now only by its owner`);
    expect(lines).toContainEqual(`warn other users may enter the data directory ${dataDir}: chmod 700 ends that`);
  });
});

const noMount = await mountRefusal();

describe.skipIf(noMount !== undefined)(
  `a data directory that cannot be written${noMount === undefined ? '' : ` (${noMount})`}`,
  () => {
    it.each(['empty', 'used'])('is refused, not failed, when it is %s', async (state) => {
      const dataDir = await smallDisk(32);
      if (state === 'used') await (await open(dataDir)).close();
      await remount(dataDir, 'ro');
      await expect(open(dataDir)).rejects.toThrow(LogRefused);
      await expect(open(dataDir)).rejects.toThrow(/cannot be used: .*It must be a directory this user may write to/);
    });

    it('is refused when it was left by a killed process', async () => {
      const dataDir = await smallDisk(32);
      const child = await startChild('./child-exit.ts', [dataDir]);
      expect(await child.exited()).toBe(70);
      await remount(dataDir, 'ro');
      await expect(open(dataDir)).rejects.toThrow(LogRefused);
      await remount(dataDir, 'rw');
      const log = await open(dataDir);
      expect((await log.stats()).events).toBe(1);
      await log.close();
    });
  },
);

describe('the reserve', () => {
  it('is made whole again when somebody removes it', async () => {
    const dataDir = directory();
    const log = await open(dataDir, { reserveBytes: 1000 });
    const reserve = join(dataDir, 'reserve');
    const size = (): number | undefined => statSync(reserve, { throwIfNoEntry: false })?.size;
    await expect.poll(size).toBe(1000);
    rmSync(reserve);
    await expect.poll(size, { timeout: 5000 }).toBe(1000);
    await log.close();
  });

  it('stops intake with a sentence while it cannot be written', async () => {
    const dataDir = directory();
    mkdirSync(join(dataDir, 'reserve'), { recursive: true });
    const log = await open(dataDir, { reserveBytes: 1000, acceptLoss: true });
    const refusal = `the reserve ${dataDir}/reserve cannot be written: EISDIR`;
    await expect.poll(() => log.space().refusal, { timeout: 5000 }).toContain(refusal);
    await expect(append(log)).rejects.toThrow(refusal);
    rmSync(join(dataDir, 'reserve'), { recursive: true });
    await expect.poll(() => log.space().intake, { timeout: 5000 }).toBe(true);
    await append(log);
    await log.close();
  });
});

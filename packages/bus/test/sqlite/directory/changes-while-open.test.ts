import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { LogFailed, LogLocked } from '../../../src/index.ts';
import { startChild } from '../../support/children.ts';
import { append, directory, open } from '../../support/data-directory.ts';

vi.setConfig({ testTimeout: 60_000 });

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
    const child = await startChild('child-appender.ts', [dataDir]);
    await child.says(/^ready$/m);
    process.kill(child.pid, 'SIGSTOP');
    rmSync(join(dataDir, 'lock.db'));
    await expect(open(dataDir)).rejects.toThrow(LogLocked);
    await expect(open(dataDir)).rejects.toThrow(/log\.db is open in another process, though its lock was free/);
    process.kill(child.pid, 'SIGCONT');
    expect(await child.exited()).not.toBe(0);
    expect(child.stderr()).toMatch(/lock\.db was (removed|replaced by another) while it was in use/);
  });

  it('a log that has failed leaves the files of the next process alone', async () => {
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

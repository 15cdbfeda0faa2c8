import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createLineLogger } from '@magpie/contract';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LogRefused } from '../../../src/index.ts';
import { startChild } from '../../support/children.ts';
import { append, closed, directory, open } from '../../support/data-directory.ts';
import { mountRefusal, remount, smallDisk } from '../../support/temporary.ts';

vi.setConfig({ testTimeout: 60_000 });

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

  it('files that others could read are made private; for the directory there is only a warning', async () => {
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
      const child = await startChild('child-exit.ts', [dataDir]);
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

import { copyFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { LogRefused } from '../../../src/index.ts';
import { startChild } from '../../support/children.ts';
import { append, closed, killed, open } from '../../support/data-directory.ts';

vi.setConfig({ testTimeout: 60_000 });

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

  it('opens without the write-ahead log when the loss is accepted, and takes no earlier position', async () => {
    const { dataDir, position } = await closed();
    const child = await startChild('child-exit.ts', [dataDir]);
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
    const child = await startChild('child-exit.ts', [dataDir]);
    expect(await child.exited()).toBe(70);
    const log = await open(dataDir, { acceptLoss: false });
    expect(log.head()).toBe(child.stdout().trim());
    await log.close();
    const crashed = await open(await killed());
    expect((await crashed.stats()).events).toBeGreaterThan(10);
    await crashed.close();
  });

  it('acceptLoss changes nothing where nothing is missing', async () => {
    const { dataDir, position } = await closed();
    const log = await open(dataDir, { acceptLoss: true });
    expect(log.parsePosition(position)).toBe(position);
    await log.close();
  });
});

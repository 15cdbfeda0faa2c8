import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { powerCutImages } from '../src/disk/power-cut.ts';
import { openPowerCutDisk, powerCutRefusal } from '../src/disk/power-cut-disk.ts';

const refusal = await powerCutRefusal();
const SYNCED = 'synced'.repeat(1000);

/** Writes a file and makes it durable, its name included. */
async function writeDurably(directory: string, name: string): Promise<void> {
  await writeFile(join(directory, name), SYNCED, { flush: true });
  const handle = await open(directory, 'r');
  await handle.sync();
  await handle.close();
}

/** Neither mounted nor there at all, the scratch directory around them included. */
function expectGone(paths: readonly string[]): void {
  const mounts = readFileSync('/proc/mounts', 'utf8');
  for (const path of paths) {
    expect(mounts).not.toContain(path);
    expect(existsSync(dirname(path))).toBe(false);
  }
}

const idle = { pids: [], promised: () => 'a promise', stop: async () => {} };

describe.skipIf(refusal !== undefined)(`a power cut${refusal === undefined ? '' : ` (${refusal})`}`, () => {
  it('keeps what was synced and loses what was not, names included', async () => {
    const seen: number[] = [];
    await powerCutImages({
      count: 2,
      seed: 1,
      maxGapMs: 10,
      bytes: 32 * 1024 * 1024,
      start: async (path) => {
        await writeDurably(path, 'synced');
        await writeFile(join(path, 'unsynced'), SYNCED);
        await writeFile(join(path, 'renamed'), SYNCED, { flush: true });
        await rename(join(path, 'renamed'), join(path, 'renamed-unsynced'));
        return idle;
      },
      check: async ({ path, index, promised }) => {
        expect(promised).toBe('a promise');
        expect(readFileSync(join(path, 'synced'), 'utf8')).toBe(SYNCED);
        expect(statSync(join(path, 'unsynced'), { throwIfNoEntry: false })?.size ?? 0).toBe(0);
        expect(existsSync(join(path, 'renamed-unsynced'))).toBe(false);
        seen.push(index);
      },
    });
    expect(seen).toEqual([0, 1]);
  });

  it('names the image and the seed, and leaves nothing mounted or on the disk when a check fails', async () => {
    const paths: string[] = [];
    let stopped = 0;
    const run = powerCutImages({
      count: 5,
      seed: 77,
      maxGapMs: 1,
      bytes: 32 * 1024 * 1024,
      start: async (path) => {
        paths.push(path);
        return { ...idle, stop: async () => void stopped++ };
      },
      check: async ({ path, index }) => {
        paths.push(path);
        mkdirSync(join(path, 'the copy is writable'));
        if (index === 1) throw new Error('an event is missing');
      },
    });
    await expect(run).rejects.toThrow('image 1 of seed 77: Error: an event is missing');
    expect(stopped).toBe(1);
    expect(paths).toHaveLength(3);
    expectGone(paths);
  });

  it('starts again from a copy at the same place, without what was written after it', async () => {
    const disk = await openPowerCutDisk(32 * 1024 * 1024);
    const { path } = disk;
    try {
      await writeDurably(path, 'before');
      const copy = await disk.copy();
      await writeDurably(path, 'after');
      await disk.bootFrom(copy);
      expect(disk.path).toBe(path);
      expect(readFileSync(join(path, 'before'), 'utf8')).toBe(SYNCED);
      expect(existsSync(join(path, 'after'))).toBe(false);
      await writeDurably(path, 'later');
      await disk.bootFrom(await disk.copy());
      expect(readFileSync(join(path, 'later'), 'utf8')).toBe(SYNCED);
    } finally {
      await disk.remove();
    }
    expectGone([path]);
  });

  it('leaves nothing behind when the writers cannot start', async () => {
    const paths: string[] = [];
    const start = (path: string) => {
      paths.push(path);
      return Promise.reject(new Error('no writer'));
    };
    const options = { count: 1, seed: 1, bytes: 32 * 1024 * 1024, start, check: async () => {} };
    await expect(powerCutImages(options)).rejects.toThrow('no writer');
    expect(paths).toHaveLength(1);
    expectGone(paths);
  });
});

/**
 * Power cuts without cutting power. Processes write to an ext4 file system in a file; a copy of that file, taken while
 * it is mounted, holds exactly what had reached the device: what was fsynced is there, what the kernel still had in
 * memory is not. Mounting the copy replays the journal, as booting does.
 *
 * The copy must be of one moment. The writers are stopped meanwhile, and a copy during which the kernel wrote anything
 * is taken again. So a cut falls between two system calls of the writers, not inside one.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '@magpie/brokers';
import { type LoopMount, makeImage, mountImage, scratchDirectory } from './loop-mount.ts';

export { mountRefusal as powerCutRefusal } from './loop-mount.ts';

/** A file system of its own whose power can be cut. */
export interface PowerCutDisk {
  /** Where it is mounted: always the same place. */
  readonly path: string;
  /**
   * Copies what has reached the device and resolves to the name of the copy. Every process that writes to it must stand
   * still: call it within `whileFrozen`.
   */
  copy(): Promise<string>;
  /** Mounts a copy beside the disk, writable, for the time of some work; removes the copy. */
  inspect(copy: string, work: (path: string) => Promise<void>): Promise<void>;
  /** Puts a copy in the place of what is mounted, as if the machine had started again. Its writers must have ended. */
  bootFrom(copy: string): Promise<void>;
  /** Unmounts it and removes all its files. */
  remove(): Promise<void>;
}

const DEFAULT_BYTES = 256 * 1024 * 1024;

/**
 * Makes and mounts a disk of `bytes` (256 MiB by default; it takes only the room it needs). Needs Linux, root and loop
 * devices: ask `powerCutRefusal` first.
 */
export async function openPowerCutDisk(bytes = DEFAULT_BYTES): Promise<PowerCutDisk> {
  const scratch = await scratchDirectory();
  const path = join(scratch.path, 'mount');
  let copies = 0;
  let mounted = await mountNew(join(scratch.path, 'image'), path, bytes).catch(async (error: unknown) => {
    await scratch.remove();
    throw error;
  });
  return {
    path,
    copy: async () => {
      const copy = join(scratch.path, `cut-${copies++}`);
      await copyOneMoment(mounted, copy);
      return copy;
    },
    inspect: async (copy, work) => {
      const beside = await mountImage(copy, `${copy}.mount`);
      try {
        await work(beside.path);
      } finally {
        await beside.release();
        await rm(copy);
      }
    },
    bootFrom: async (copy) => {
      const former = mounted.image;
      await mounted.release();
      mounted = await mountImage(copy, path);
      await rm(former);
    },
    remove: async () => {
      await mounted.release();
      await scratch.remove();
    },
  };
}

async function mountNew(image: string, path: string, bytes: number): Promise<LoopMount> {
  await makeImage(image, bytes);
  return mountImage(image, path);
}

const COPY_ATTEMPTS = 100;

/** Copies an image, again and again until nothing was written to it meanwhile. */
async function copyOneMoment({ image, traffic }: LoopMount, copy: string): Promise<void> {
  for (let attempt = 0; attempt < COPY_ATTEMPTS; attempt++) {
    const before = await traffic();
    if (before.underWay === 0) {
      await run('cp', ['--sparse=auto', image, copy]);
      const after = await traffic();
      if (after.underWay === 0 && after.completed === before.completed) return;
    }
    await sleep(10);
  }
  throw new Error(
    `${image} was written to during each of ${COPY_ATTEMPTS} copies: stop every process that writes to it`,
  );
}

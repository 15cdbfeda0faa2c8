import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from '@magpie/brokers';

/** An ext4 file system in a file, mounted. */
export interface LoopMount {
  /** Where it is mounted. */
  readonly path: string;
  /** The file it lives in. */
  readonly image: string;
  /** Write and discard requests the device has completed, and those under way. */
  traffic(): Promise<DeviceTraffic>;
  /** Unmounts it and frees the loop device. */
  release(): Promise<void>;
}

/** Write and discard requests of a block device: completed since it was made, and under way. */
export interface DeviceTraffic {
  readonly completed: number;
  readonly underWay: number;
}

/** Makes a new, empty file system of `bytes` in the file `image`. Nothing is left to be initialised in the background. */
export async function makeImage(image: string, bytes: number): Promise<void> {
  await writeFile(image, '');
  await truncate(image, bytes);
  await run('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
}

/** Mounts an image at a directory, which is made; its journal is replayed. Needs root and a free loop device. */
export async function mountImage(image: string, path: string): Promise<LoopMount> {
  await mkdir(path, { recursive: true });
  await run('mount', ['-t', 'ext4', '-o', 'loop', image, path]);
  const source = await run('findmnt', ['-n', '-o', 'SOURCE', path]);
  const statistics = `/sys/block/${basename(source.trim())}/stat`;
  return {
    path,
    image,
    traffic: async () => {
      // Fields of Documentation/block/stat: 5 writes, 9 in flight, 12 discards.
      const fields = (await readFile(statistics, 'utf8')).trim().split(/\s+/).map(Number);
      return { completed: (fields[4] ?? 0) + (fields[11] ?? 0), underWay: fields[8] ?? 0 };
    },
    release: async () => {
      // A process that holds a file must not keep the mount alive: the device goes when it lets go.
      await run('umount', [path]).catch(() => run('umount', ['-l', path]));
    },
  };
}

/** A directory of its own under the system's temporary one, and how to remove it. */
export async function scratchDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'magpie-power-cut-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

const PROBE_BYTES = 16 * 1024 * 1024;

/** Why no image can be made and mounted here, as a sentence; undefined when it can. */
export async function mountRefusal(): Promise<string | undefined> {
  const scratch = await scratchDirectory();
  try {
    const image = join(scratch.path, 'image');
    await makeImage(image, PROBE_BYTES);
    const mounted = await mountImage(image, join(scratch.path, 'mount'));
    await mounted.release();
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    return `no ext4 image can be mounted here (it needs root, mkfs.ext4 and loop devices): ${reason}`;
  } finally {
    await scratch.remove();
  }
}

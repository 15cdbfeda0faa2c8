import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '@magpie/brokers';

const AGAIN_MS = 20;
/** What a gateway keeps for a full disk. */
const RESERVE_BYTES = 64 * 1024 * 1024;

/** Gives the room back. */
export type FreeDisk = () => Promise<void>;

/** Takes all the room on the disk of a directory, once, as another program would. */
export async function fillDisk(directory: string): Promise<FreeDisk> {
  await takeAll(directory);
  const { bavail, bsize } = await statfs(directory);
  // A gateway that has met the full disk by now has given up its reserve.
  if (bavail * bsize > RESERVE_BYTES) throw new Error(`${directory} still has ${bavail * bsize} bytes`);
  return () => rm(ballastIn(directory));
}

/** Takes all the room on the disk of a directory, and again whatever becomes free there. */
export async function keepDiskFull(directory: string): Promise<FreeDisk> {
  const free = await fillDisk(directory);
  let over = false;
  const eat = async (): Promise<void> => {
    while (!over) {
      await takeAll(directory);
      await sleep(AGAIN_MS);
    }
  };
  const eating = eat();
  return async () => {
    over = true;
    await eating;
    await free();
  };
}

const ballastIn = (directory: string): string => join(directory, 'ballast');

/** Asks for more space than there is: that takes all of it, and fails. */
async function takeAll(directory: string): Promise<void> {
  const { blocks, bsize } = await statfs(directory);
  await run('fallocate', ['-l', String(blocks * bsize), ballastIn(directory)]).catch(() => undefined);
}

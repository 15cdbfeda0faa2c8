import { execFile } from 'node:child_process';
import { rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Takes all the room on the disk of a directory, as another program would; resolves to what gives it back. */
export async function fillDisk(directory: string): Promise<() => Promise<void>> {
  const ballast = join(directory, 'ballast');
  const { blocks, bsize } = await statfs(directory);
  // More than there can be: it takes what there is and fails.
  await run('fallocate', ['-l', String(blocks * bsize), ballast]).catch(() => undefined);
  const { bavail } = await statfs(directory);
  if (bavail > 0) throw new Error(`${directory} still has ${bavail} blocks`);
  return () => rm(ballast);
}

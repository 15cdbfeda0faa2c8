import { type BigIntStats, statSync } from 'node:fs';
import { errorMessage } from '@magpie/contract';
import { LogFailed } from '../../contract/index.ts';

/** Which file a path led to when it was opened. Plain data: it goes to another thread. */
export interface FileIdentity {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/** Remembers which file a path leads to. Throws what `stat` throws. */
export const identityOf = (path: string): FileIdentity => {
  const { dev, ino } = statSync(path, { bigint: true });
  return { path, device: dev, inode: ino };
};

/**
 * Whether the open files are still those in the directory. A process can keep writing to a file that was removed or
 * replaced, and every fsync succeeds, but what it writes there is lost.
 * @throws LogFailed that says which file is gone and what to do.
 */
export function verifyIdentities(files: readonly FileIdentity[]): void {
  for (const { path, device, inode } of files) {
    const now = look(path);
    if (now === undefined) throw gone(path, 'was removed');
    if (now.dev !== device || now.ino !== inode) throw gone(path, 'was replaced by another');
  }
}

/**
 * Whether a path still leads to the same file: a quick check, per acknowledgement. Also false where that cannot be determined;
 * `verifyIdentities` says why.
 */
export function isInPlace({ path, device, inode }: FileIdentity): boolean {
  try {
    const now = statSync(path, { throwIfNoEntry: false });
    return now !== undefined && now.ino === Number(inode) && now.dev === Number(device);
  } catch {
    return false;
  }
}

function look(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    throw new LogFailed(`${path} cannot be looked at: ${errorMessage(error)}`, { cause: error });
  }
}

const gone = (path: string, what: string): LogFailed =>
  new LogFailed(
    `${path} ${what} while it was in use. Nothing more is acknowledged. Put back what was there, or a backup, then start again`,
  );

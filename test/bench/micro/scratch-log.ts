import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EventLog, openLog } from '@magpie/bus';

/** The type that Linux gives a file system in memory. */
const TMPFS = 0x01021994;

/** A SQLite log of its own, and how to get rid of it. */
export interface ScratchLog {
  readonly log: EventLog;
  /** Closes the log and removes its directory. Idempotent. */
  remove(): Promise<void>;
}

/** Opens a fresh log in a temporary directory on a disk. @throws when there is none: fsync costs nothing in memory. */
export async function scratchLog(): Promise<ScratchLog> {
  const parent = [tmpdir(), '/var/tmp', process.cwd()].find((path) => statfsSync(path).type !== TMPFS);
  if (parent === undefined) throw new Error('expected a temporary directory on a disk: set TMPDIR to one');
  const dataDir = mkdtempSync(join(parent, 'magpie-micro-'));
  const removeDirectory = (): void => rmSync(dataDir, { recursive: true, force: true });
  try {
    const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0 });
    return {
      log,
      remove: async () => {
        await log.close();
        removeDirectory();
      },
    };
  } catch (error) {
    removeDirectory();
    throw error;
  }
}

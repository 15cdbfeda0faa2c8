import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EventLog, openLog } from '@magpie/bus';
import type { Store } from './scenery.ts';

/**
 * The durable log in a temporary directory. What a crash leaves is a copy of the files taken while the log is open: it is
 * never told that the end has come. The lock of the copy is its own.
 */
export function sqliteStore(now: () => number): Store {
  const logs: EventLog[] = [];
  let root: string | undefined;
  let directory = '';

  const open = async (): Promise<EventLog> => {
    const clock = { now, monotonic: now };
    const log = await openLog({ store: 'sqlite', dataDir: directory, clock, reserveBytes: 0, minFreeBytes: 1 });
    logs.push(log);
    return log;
  };
  const nextDirectory = async (): Promise<string> => {
    root ??= await mkdtemp(join(tmpdir(), 'magpie-model-'));
    return join(root, `${logs.length}`);
  };
  return {
    open: async () => {
      directory = await nextDirectory();
      return open();
    },
    reopen: async () => {
      await logs.at(-1)?.close();
      return open();
    },
    reopenAfterCrash: async () => {
      const copy = await nextDirectory();
      await mkdir(copy);
      for (const file of ['log.db', 'log.db-wal']) {
        await cp(join(directory, file), join(copy, file));
      }
      await logs.at(-1)?.close();
      directory = copy;
      return open();
    },
    close: async () => {
      await logs.at(-1)?.close();
      if (root !== undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

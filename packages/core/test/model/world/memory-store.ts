import { createMemoryLog, type EventLog } from '@magpie/bus';
import type { Store } from './scenery.ts';

/** A log in memory that outlives its processes. `damage` puts a defect into it, or makes it slow. */
export function memoryStore(now: () => number, damage: (log: EventLog) => EventLog = (log) => log): Store {
  const log = damage(createMemoryLog({ clock: { now } }));
  return {
    open: async () => log,
    reopen: async () => log,
    reopenAfterCrash: async () => log,
    close: () => log.close(),
  };
}

/** The same log, but reading takes its time, as from a disk. */
export const readSlowly = (log: EventLog): EventLog => ({
  ...log,
  read: async (after, limit) => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return log.read(after, limit);
  },
});

import { createMemoryLog, type EventLog } from '@magpie/bus';
import type { Store } from './scenery.ts';

/** A log in memory that outlives its processes. `damage` puts a defect into it. */
export function memoryStore(now: () => number, damage: (log: EventLog) => EventLog = (log) => log): Store {
  const log = damage(createMemoryLog({ clock: { now } }));
  return {
    open: async () => log,
    reopen: async () => log,
    reopenAfterCrash: async () => log,
    close: () => log.close(),
  };
}

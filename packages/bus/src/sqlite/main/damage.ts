import type { LogFields, Logger } from '@magpie/contract';

/** Damaged records that are counted apart; beyond it the count says "at least". */
const MOST_COUNTED = 10_000;

/** The damaged records that have been skipped since the log was opened. */
export interface Damage {
  /** Counts a skipped record by its `name`, and logs it the first time. Called per damaged record and read. */
  found(name: LogFields, reason: string): void;
  /** Alarms for the operator, as sentences. */
  alarms(): readonly string[];
}

/** Makes the list of a log that was just opened. */
export function createDamage(logger: Pick<Logger, 'error'>): Damage {
  const known = new Set<string>();
  let isMore = false;
  let last = '';
  return {
    found: (name, reason) => {
      const key = JSON.stringify(name);
      if (known.has(key)) return;
      if (known.size < MOST_COUNTED) known.add(key);
      else isMore = true;
      last = Object.values(name).join(' ');
      logger.error({ ...name, reason }, 'a damaged record in the event log is skipped');
    },
    alarms: () => {
      if (known.size === 0) return [];
      const count = `${isMore ? 'at least ' : ''}${known.size}`;
      const records = known.size === 1 ? 'damaged record' : 'damaged records';
      return [
        `the event log has skipped ${count} ${records}, the last one at ${last}: what they held is lost here. Look at the ` +
          'disk, and restore a backup if it matters; the log lines name each of them',
      ];
    },
  };
}

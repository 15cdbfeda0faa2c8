import type { EventLog } from '@magpie/bus';
import type { Logger } from '@magpie/contract';

/** The log to watch, its limit and the logger. */
export interface DeadLetterWatchOptions {
  readonly log: Pick<EventLog, 'stats'>;
  /** How many dead letters may be kept; it may change. */
  max(): number;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
}

/** Watches the number of dead letters. */
export interface DeadLetterWatch {
  /** Called when dead letters were written or removed, and at the start. Counts them within a second. */
  changed(): void;
  stop(): void;
}

/** Shortest time between two counts, in ms: dead letters may come by the thousand. */
const LOOK_MS = 1000;

/** The alarm for too many dead letters; undefined while the limit holds. */
export const tooMany = (count: number, max: number): string | undefined =>
  count > max
    ? `there are ${count} dead letters, more than gateway.deadLetters.max (${max}): retry or drop them`
    : undefined;

/** Logs a warning, once per occurrence, when there are more dead letters than the limit allows. */
export function watchDeadLetters({ log, max, logger }: DeadLetterWatchOptions): DeadLetterWatch {
  let over = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    const { deadLetters } = await log.stats();
    const alarm = tooMany(deadLetters, max());
    if (alarm !== undefined && !over) logger.warn({ count: deadLetters }, alarm);
    if (alarm === undefined && over)
      logger.info({ count: deadLetters }, `back within the limit: there are ${deadLetters} dead letters`);
    over = alarm !== undefined;
  };
  return {
    changed: () => {
      if (stopped || timer) return;
      timer = setTimeout(() => {
        timer = undefined;
        look().catch(() => undefined); // A failed log reports it elsewhere.
      }, LOOK_MS).unref();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

import type { EventLog } from '@magpie/bus';
import type { Logger } from '@magpie/contract';

/** What a watch looks at and whom it tells. */
export interface DeadLetterWatchOptions {
  readonly log: Pick<EventLog, 'stats'>;
  /** How many dead letters may be kept; it may change. */
  max(): number;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
}

/** Looks at how many dead letters are kept. */
export interface DeadLetterWatch {
  /** Some have come or gone, or the gateway has started: has a look within a second. */
  changed(): void;
  stop(): void;
}

/** Between two looks, in ms: dead letters may come by the thousand. */
const LOOK_MS = 1000;

/** Why there are too many dead letters, as a sentence; undefined when there are not. */
export const tooMany = (count: number, max: number): string | undefined =>
  count > max
    ? `there are ${count} dead letters, more than gateway.deadLetters.max (${max}): retry or drop them`
    : undefined;

/** Says in the log, once each time it begins, that there are more dead letters than may be kept. */
export function watchDeadLetters({ log, max, logger }: DeadLetterWatchOptions): DeadLetterWatch {
  let over = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    const { deadLetters } = await log.stats();
    const alarm = tooMany(deadLetters, max());
    if (alarm !== undefined && !over) logger.warn({ count: deadLetters }, alarm);
    if (alarm === undefined && over)
      logger.info({ count: deadLetters }, `there are only ${deadLetters} dead letters again`);
    over = alarm !== undefined;
  };
  return {
    changed: () => {
      if (stopped || timer) return;
      timer = setTimeout(() => {
        timer = undefined;
        look().catch(() => undefined); // A log that has failed says so itself.
      }, LOOK_MS).unref();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

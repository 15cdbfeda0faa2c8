import type { EventLog } from '@magpie/bus';
import type { Config } from '@magpie/config';

const INTERVAL_MS = 60_000;

/** Removes old events from a log. */
export interface LogKeeper {
  /** Removes now what may go; does nothing while that is under way. Called when the disk is full. */
  sweep(): void;
  /** Starts no more runs. */
  stop(): void;
}

/** Keeps a log within its limits, which may change: once a minute, and whenever `sweep` is called. `onFatal` hears of a log that failed. */
export function keepWithinLimits(
  log: Pick<EventLog, 'lowestFloor' | 'retain'>,
  limits: () => Config['gateway']['log'],
  onFatal: (error: Error) => void,
): LogKeeper {
  let running = false;
  let stopped = false;
  const run = async (): Promise<void> => {
    const { retain, maxBytes } = limits();
    await log.retain({ maxAge: retain, maxBytes, floor: await log.lowestFloor() });
  };
  const sweep = (): void => {
    if (running || stopped) return;
    running = true;
    run()
      .catch((error: Error) => {
        // A run that the closing of the log has cut short is no failure.
        if (!stopped) onFatal(error);
      })
      .finally(() => {
        running = false;
      });
  };
  const timer = setInterval(sweep, INTERVAL_MS);
  timer.unref();
  return {
    sweep,
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}

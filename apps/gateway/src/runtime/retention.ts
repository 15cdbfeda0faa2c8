import type { EventLog } from '@magpie/bus';
import type { Config } from '@magpie/config';

const INTERVAL_MS = 60_000;

/** Removes old events from a log. */
export interface LogKeeper {
  /** Removes expired events now, unless a run is under way. Called when the disk is full. */
  sweep(): void;
  /** Stops starting runs. */
  stop(): void;
}

/**
 * Keeps a log within its limits, which may change: once a minute, and whenever `sweep` is called. `onFatal` is called
 * when the log has failed.
 */
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
        // A run cut short by closing the log is not a failure.
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

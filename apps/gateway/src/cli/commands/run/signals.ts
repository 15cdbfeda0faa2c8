import { errorMessage } from '@magpie/contract';
import type { Assembled } from '../../../runtime/assemble.ts';
import { printError } from '../../output/print.ts';

/** Time for an orderly shutdown, and the time after which it counts as stuck, in ms. */
const DRAIN_MS = 9000;
const STUCK_MS = 10_000;

/** Signals of this process as requests to its gateway. A request that comes too early is remembered. */
export interface ProcessSignals {
  /**
   * Called when the gateway is assembled but not started. Returns true when a signal has asked it to end: it is then
   * being stopped and must not be started.
   */
  stopEarly(assembled: Assembled): boolean;
  /** Called when the gateway has started. Remembered requests are carried out now, later ones at once. */
  obey(assembled: Assembled): void;
}

/**
 * Handles SIGTERM and SIGINT (drain) and SIGHUP (reload; the result is logged). A second signal to end exits at once,
 * and so does a shutdown that is stuck. Called once, before anything slow: without a handler each signal would end the
 * process.
 */
export function takeSignals(say: (message: string) => void): ProcessSignals {
  let gateway: Assembled | undefined;
  let stopping = false;
  let reloading = false;

  const end = (assembled: Assembled): void => {
    assembled.stop(DRAIN_MS).then(
      () => process.exit(0),
      (error: unknown) => endBadly(errorMessage(error)),
    );
  };
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    say(gateway ? `${signal}: draining` : `${signal}: the gateway ends as soon as its start allows`);
    setTimeout(() => endBadly(`it took longer than ${STUCK_MS / 1000} s`), STUCK_MS).unref();
    if (gateway) end(gateway);
  };
  const reload = (): void => {
    reloading = true;
    if (!gateway || stopping) return;
    reloading = false;
    gateway.reloader?.reload({ dryRun: false }).catch(() => undefined); // The gateway is stopping: there is nothing to reload.
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', reload);
  // Without a handler the runtime would open a debugger port, by which every local user could read all there is.
  process.on('SIGUSR1', () => say('SIGUSR1: ignored'));
  return {
    stopEarly: (assembled) => {
      if (stopping) end(assembled);
      return stopping;
    },
    obey: (assembled) => {
      gateway = assembled;
      if (stopping) end(assembled);
      else if (reloading) reload();
    },
  };
}

function endBadly(why: string): never {
  printError(`magpie: the shutdown was not clean: ${why}`);
  process.exit(1);
}

import { errorMessage } from '@magpie/contract';
import type { Assembled } from '../../../runtime/assemble.ts';
import { printError } from '../../output/print.ts';

/** Time for an ordered shutdown, and when it is taken for stuck, in ms. */
const DRAIN_MS = 9000;
const STUCK_MS = 10_000;

/** What the signals of this process ask of its gateway. What is asked before it can be done is remembered. */
export interface ProcessSignals {
  /**
   * The gateway has been put together and is not started yet. Whether it has been asked to end meanwhile: then it is being
   * stopped, and must not be started.
   */
  stopEarly(assembled: Assembled): boolean;
  /** The gateway has started: what has been asked happens now, and from now on at once. */
  obey(assembled: Assembled): void;
}

/**
 * Takes SIGTERM and SIGINT, which drain, and SIGHUP, which loads the configuration again; what comes of that is in the log.
 * A second signal to end exits at once, and so does a shutdown that is stuck. Called once, before anything that takes time:
 * without a handler each of them would end the process.
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
    say(gateway ? `${signal}: draining` : `${signal}: ends as soon as it can`);
    setTimeout(() => endBadly(`it took longer than ${STUCK_MS / 1000} s`), STUCK_MS).unref();
    if (gateway) end(gateway);
  };
  const reload = (): void => {
    reloading = true;
    if (!gateway || stopping) return;
    reloading = false;
    gateway.reloader?.reload({ dryRun: false }).catch(() => undefined); // Only while the gateway stops: there is nothing to reload.
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', reload);
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

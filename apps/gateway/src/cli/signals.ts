import { errorMessage } from '@magpie/contract';
import type { Assembled } from '../assemble.ts';
import type { Reloader } from '../reload/reloader.ts';

/** Time for an ordered shutdown, and when it is taken for stuck, in ms. */
const DRAIN_MS = 9000;
const STUCK_MS = 10_000;

/** SIGTERM and SIGINT drain; a second one exits at once, and so does a shutdown that is stuck. */
export function stopOnSignals(assembled: Assembled, say: (message: string) => void): void {
  let stopping = false;
  const endBadly = (why: string): never => {
    process.stderr.write(`magpie: the shutdown was not clean: ${why}\n`);
    process.exit(1);
  };
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    say(`${signal}: draining`);
    setTimeout(() => endBadly(`it took longer than ${STUCK_MS / 1000} s`), STUCK_MS).unref();
    assembled.stop(DRAIN_MS).then(
      () => process.exit(0),
      (error: unknown) => endBadly(errorMessage(error)),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** SIGHUP loads the configuration again; what comes of it is in the log. */
export function reloadOnSignal(reloader: Reloader): void {
  process.on('SIGHUP', () => {
    reloader.reload({ dryRun: false }).catch(() => undefined); // Only while the gateway stops: there is nothing to reload.
  });
}

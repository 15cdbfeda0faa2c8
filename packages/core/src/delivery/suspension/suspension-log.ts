import type { Clock, Logger, MagpieError } from '@magpie/contract';
import type { Target } from '@magpie/routing';

/** At most one warning per target in this time, in ms: a target may come and go many times a second. */
const QUIET_MS = 60_000;

interface SuspensionLogDeps {
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** Called at each refusal that suspends a target; `since`: when the suspension began, ms since the epoch. */
export type SuspensionLog = (target: Target, error: MagpieError, since: number | undefined) => void;

/** Says once in the log that a target is suspended; what its further probes say goes to the debug log. */
export function createSuspensionLog({ logger, clock }: SuspensionLogDeps): SuspensionLog {
  const said = new Map<string, { readonly since: number | undefined; readonly at: number }>();

  const isNews = (consumer: string, began: number | undefined): boolean => {
    const last = said.get(consumer);
    const at = clock.monotonic();
    if (last && at - last.at < QUIET_MS) return false;
    if (last && last.since === began) return false;
    said.set(consumer, { since: began, at });
    return true;
  };

  return ({ consumer, connection }, error, since) => {
    const fields = { connection, target: consumer, error: error.code, reason: error.message };
    if (isNews(consumer, since))
      logger.warn(fields, `the target ${consumer} is suspended, it is probed: ${error.message}`);
    else logger.debug(fields, `suspended: ${error.message}`);
  };
}

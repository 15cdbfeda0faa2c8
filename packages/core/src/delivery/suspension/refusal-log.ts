import { type Clock, createQuiet, type Logger, type MagpieError } from '@magpie/contract';
import type { Target } from '@magpie/routing';
import type { Delivery } from '../delivery.ts';

/** Logs that a target, or a place of it, has refused a delivery; the status shows what becomes of it. */
export interface RefusalLog {
  /** A place takes nothing from now on. `name` as `Places` names it. */
  placeSuspended(target: Target, name: string, delivery: Delivery, error: MagpieError): void;
  /** A delivery was refused, and is tried again. */
  refused(target: Target, delivery: Delivery, error: MagpieError): void;
}

/** One line in a minute for each place, and for each target and class of error; the others go to the debug log. */
export function createRefusalLog(logger: Logger, clock: Pick<Clock, 'monotonic'>): RefusalLog {
  const quiet = createQuiet(clock);
  const say = (key: string, target: Target, { event }: Delivery, error: MagpieError, words: string, place?: string) => {
    const fields = {
      connection: target.connection,
      target: target.consumer,
      ...(place === undefined ? {} : { place }),
      ref: event.ref,
      error: error.code,
      reason: error.message,
    };
    const kept = quiet.due(key);
    const more = kept === undefined || kept === 0 ? '' : ` (and ${kept} more before)`;
    logger[kept === undefined ? 'debug' : 'warn'](fields, `${words}: ${error.message}${more}`);
  };
  return {
    placeSuspended: (target, name, delivery, error) =>
      say(
        `${target.consumer} ${name}`,
        target,
        delivery,
        error,
        `${name} takes nothing from ${target.consumer}, what goes there waits`,
        name,
      ),
    refused: (target, delivery, error) =>
      say(
        `${target.consumer} ${error.code}`,
        target,
        delivery,
        error,
        `${target.consumer} has refused a message, it is tried again`,
      ),
  };
}

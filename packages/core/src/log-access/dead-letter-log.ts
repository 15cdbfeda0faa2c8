import type { DeadLetter } from '@magpie/bus';
import type { Clock, Logger } from '@magpie/contract';
import type { StateWriter } from './state-writer.ts';

/** Lines of one target and reason within a minute; what is beyond is counted in the next line. */
const MOST_PER_MINUTE = 5;
const MINUTE_MS = 60_000;

/** Targets and reasons told apart. */
const MOST_KEYS = 1000;

interface Said {
  since: number;
  lines: number;
  unsaid: number;
}

/** Says each new dead letter in one log line, a few per minute for each target and reason. */
function createDeadLetterLog(logger: Logger, clock: Pick<Clock, 'monotonic'>) {
  const said = new Map<string, Said>();

  const budgetOf = (key: string): Said => {
    const now = clock.monotonic();
    const known = said.get(key);
    if (known && now - known.since < MINUTE_MS) return known;
    const fresh = { since: now, lines: 0, unsaid: known?.unsaid ?? 0 };
    if (said.size >= MOST_KEYS) said.clear();
    said.set(key, fresh);
    return fresh;
  };

  return ({ consumer, reason, error, message, event }: DeadLetter): void => {
    const budget = budgetOf(`${consumer ?? event.source} ${reason}`);
    if (budget.lines >= MOST_PER_MINUTE) {
      budget.unsaid++;
      return;
    }
    budget.lines++;
    const more = budget.unsaid > 0 ? ` (and ${budget.unsaid} more before)` : '';
    budget.unsaid = 0;
    const fields = { connection: event.source, ref: event.ref, reason, error };
    const where = consumer === undefined ? `a message of ${event.source}` : `a message for ${consumer}`;
    logger.warn(
      consumer === undefined ? fields : { ...fields, target: consumer },
      `${where} is a dead letter (${reason}): ${message}${more}`,
    );
  };
}

/** The same state writer, whose dead letters are also lines of the log once they are durable. */
export function withDeadLetterLog(writer: StateWriter, logger: Logger, clock: Pick<Clock, 'monotonic'>): StateWriter {
  const say = createDeadLetterLog(logger, clock);
  return {
    ...writer,
    commit: (change) => {
      const work = writer.commit(change);
      const letters = change.deadLetters?.put;
      // The caller of `commit` handles its failure.
      if (letters) work.then(() => letters.forEach(say)).catch(() => undefined);
      return work;
    },
  };
}

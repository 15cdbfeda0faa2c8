import type { ConfigControl } from '@magpie/api';
import type { EventLog } from '@magpie/bus';
import { describeRefusal } from './reload/words.ts';

/** Where alarms come from. */
export interface AlarmOptions {
  readonly log: Pick<EventLog, 'stats'>;
  /** How many dead letters may be kept. */
  maxDeadLetters(): number;
  readonly config: Pick<ConfigControl, 'current'> | undefined;
}

/** What needs a human besides connections: too many dead letters, a configuration that was refused. Read by `GET /v1`. */
export function createAlarms({ log, maxDeadLetters, config }: AlarmOptions): () => Promise<readonly string[]> {
  const quota = async (): Promise<readonly string[]> => {
    const [{ deadLetters }, max] = [await log.stats(), maxDeadLetters()];
    if (deadLetters <= max) return [];
    return [`there are ${deadLetters} dead letters, more than gateway.deadLetters.max (${max}): retry or drop them`];
  };
  const refusal = (): readonly string[] => {
    const { refused, revision } = config?.current() ?? {};
    return refused && revision ? [describeRefusal(refused.problems, revision)] : [];
  };
  return async () => [...(await quota()), ...refusal()];
}

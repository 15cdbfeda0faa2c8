import type { ConfigControl } from '@magpie/api';
import type { EventLog } from '@magpie/bus';
import type { Gateway, TargetLoad } from '@magpie/core';
import { describeRefusal } from '../reload/words.ts';
import { tooMany } from './dead-letter-watch.ts';

/** Where alarms come from. */
export interface AlarmOptions {
  readonly log: Pick<EventLog, 'stats' | 'alarms'>;
  /** How many dead letters may be kept. */
  maxDeadLetters(): number;
  readonly gateway: Pick<Gateway, 'connections' | 'targets' | 'loops'>;
  readonly config: Pick<ConfigControl, 'current'> | undefined;
}

/**
 * Conditions that need a human, besides connections: suspended or blocked targets, messages that go round, too many dead
 * letters, damaged records in the log, a refused configuration. Read by `GET /v1`.
 */
export function createAlarms({ log, maxDeadLetters, gateway, config }: AlarmOptions): () => Promise<readonly string[]> {
  const quota = async (): Promise<readonly string[]> => {
    const alarm = tooMany((await log.stats()).deadLetters, maxDeadLetters());
    return alarm === undefined ? [] : [alarm];
  };
  const refusal = (): readonly string[] => {
    const { refused, revision } = config?.current() ?? {};
    return refused && revision ? [describeRefusal(refused.problems, revision)] : [];
  };
  return async () => [...targetAlarms(gateway), ...gateway.loops(), ...(await quota()), ...log.alarms(), ...refusal()];
}

/** Places of one target that are named in an alarm; the others are counted. */
const MOST_PLACES = 5;

/** The places of a target that take nothing while others do. */
function placeAlarms(consumer: string, places: TargetLoad['places']): readonly string[] {
  const named = places
    .slice(0, MOST_PLACES)
    .map(
      ({ place, since, error, waiting }) =>
        `target ${consumer}: ${place} takes nothing since ${new Date(since).toISOString()} (${waiting} waiting): ${error}`,
    );
  const more = places.length - named.length;
  return more > 0 ? [...named, `target ${consumer}: ${more} more places take nothing: see magpie targets`] : named;
}

/**
 * Targets that are suspended though their connection is up (else that says why), with their suspended places, and those with
 * blocked deliveries.
 */
function targetAlarms({ connections, targets }: Pick<Gateway, 'connections' | 'targets'>): readonly string[] {
  const up = new Set(connections().flatMap(({ name, state }) => (state === 'up' ? [name] : [])));
  return targets().flatMap(({ consumer, connection, suspension, blocked, places }) => [
    ...(suspension && up.has(connection)
      ? [`target ${consumer} is suspended since ${new Date(suspension.since).toISOString()}: ${suspension.error}`]
      : []),
    ...(up.has(connection) ? placeAlarms(consumer, places) : []),
    ...(blocked > 0
      ? [
          `target ${consumer} is blocked by deliveries that ran out of attempts (${blocked}): run magpie targets retry or give-up`,
        ]
      : []),
  ]);
}

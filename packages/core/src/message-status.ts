import { comparePositions, type EventLog, type Outcome, type StoredEvent } from '@magpie/bus';
import type { RouteSet } from '@magpie/routing';
import type { Outlet } from './outlet.ts';
import type { MessageStatus, TargetStatus } from './types.ts';

interface StatusDeps {
  readonly log: EventLog;
  readonly routes: RouteSet;
  readonly outlets: ReadonlyMap<string, Outlet>;
}

/** Where a message stands with each of its targets; undefined when the log does not know the ref. */
export async function messageStatus(ref: string, deps: StatusDeps): Promise<MessageStatus | undefined> {
  const stored = await deps.log.find(ref);
  if (!stored) return undefined;
  const outcomes = new Map((await deps.log.outcomes(ref)).map((outcome) => [outcome.consumer, outcome]));
  const matched = deps.routes.match(stored.event).map(({ target }) => target);
  const targets = matched.map((target): TargetStatus => {
    const { consumer, connection } = target;
    const outcome = outcomes.get(consumer);
    outcomes.delete(consumer);
    if (outcome) return { ...withoutRef(outcome), connection };
    return deps.outlets.get(consumer)?.status(stored.position) ?? byFloor(consumer, connection, stored, deps);
  });
  const former = [...outcomes.values()].map((outcome) => ({ ...withoutRef(outcome), connection: '' }));
  return { event: stored, targets: [...targets, ...former] };
}

const withoutRef = ({ ref: _, ...outcome }: Outcome): Omit<Outcome, 'ref'> => outcome;

/** Nothing is known of this delivery alone: below the floor it is confirmed, above it is still in the log. */
function byFloor(consumer: string, connection: string, { position }: StoredEvent, deps: StatusDeps): TargetStatus {
  const floor = deps.outlets.get(consumer)?.floor();
  const waiting = floor !== undefined && floor !== null && comparePositions(position, floor) > 0;
  return { consumer, connection, state: waiting ? 'waiting' : 'confirmed', attempts: waiting ? 0 : 1 };
}

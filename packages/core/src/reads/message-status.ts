import { comparePositions, type EventLog, type Outcome, type Position, type StoredEvent } from '@magpie/bus';
import type { Event } from '@magpie/contract';
import type { DeliveryQueue } from '../delivery/delivery-queue.ts';
import type { MessageStatus, TargetStatus } from '../gateway-api/index.ts';
import type { Targets } from '../targets/targets.ts';

interface StatusDeps {
  readonly log: EventLog;
  readonly targets: Targets;
  /** Up to where the router has matched. */
  routed(): Position | undefined;
  /** Since when a target gets what comes in, ms since the epoch. */
  since(consumer: string): number;
  /** Whether outcomes of this event are kept one by one. */
  tracked(event: Event): boolean;
}

/** Where a message stands with each of its targets; undefined when the log does not know the ref. */
export async function messageStatus(ref: string, deps: StatusDeps): Promise<MessageStatus | undefined> {
  const stored = await deps.log.find(ref);
  if (!stored) return undefined;
  const outcomes = new Map((await deps.log.outcomes(ref)).map((outcome) => [outcome.consumer, outcome]));
  const matched = deps.targets
    .routesAt(stored.position)
    .match(stored.event)
    .map(({ target }) => target);
  const targets = matched.flatMap((target): TargetStatus | readonly TargetStatus[] => {
    const { consumer, connection } = target;
    const outcome = outcomes.get(consumer);
    outcomes.delete(consumer);
    // What is on its way comes first: it may have ended once already and be tried again.
    const queue = deps.targets.queue(consumer);
    const underWay = queue?.status(stored.position);
    if (underWay) return withWait(underWay, queue);
    if (outcome) return { ...withoutRef(outcome), connection };
    // A target that came later was never meant to get it.
    if (stored.event.receivedAt < deps.since(consumer)) return [];
    return withWait(byFloor(consumer, connection, stored, deps), queue);
  });
  const former = [...outcomes.values()].map((outcome) => ({ ...withoutRef(outcome), connection: '' }));
  const all = await Promise.all([...targets, ...former].map((target) => withHistory(target, ref, deps.log)));
  return { event: stored, targets: all };
}

/** What waits for a suspended target, or for the end of quiet hours, has no error of its own: it shows what the target waits for. */
function withWait(status: TargetStatus, queue: Pick<DeliveryQueue, 'load'> | undefined): TargetStatus {
  if (status.state !== 'waiting' || !queue) return status;
  const { suspension, quietUntil } = queue.load();
  if (quietUntil !== undefined) return { nextAttempt: quietUntil, ...status, error: 'the target has its quiet hours' };
  if (!suspension) return status;
  const { error, nextAttempt } = suspension;
  return { nextAttempt, ...status, error: `the target is suspended: ${error}` };
}

/** A delivery that has become a dead letter has its attempts there. */
async function withHistory(status: TargetStatus, ref: string, log: StatusDeps['log']): Promise<TargetStatus> {
  if (status.state !== 'dead') return status;
  const [letter] = await log.deadLetters({ consumer: status.consumer, ref, limit: 1 });
  return letter && letter.attempts.length > 0 ? { ...status, failures: letter.attempts } : status;
}

const withoutRef = ({ ref: _, ...outcome }: Outcome): Omit<Outcome, 'ref'> => outcome;

/**
 * Nothing is known of this delivery alone. A tracked one without an outcome is still on its way; any other is confirmed once
 * it has been matched and lies below the floor of its target.
 */
function byFloor(
  consumer: string,
  connection: string,
  { position, event }: StoredEvent,
  deps: StatusDeps,
): TargetStatus {
  const routed = deps.routed();
  const matched = routed !== undefined && comparePositions(position, routed) <= 0;
  const floor = deps.targets.queue(consumer)?.floor() ?? routed;
  const settled = matched && floor !== undefined && comparePositions(position, floor) <= 0;
  const confirmed = settled && !deps.tracked(event);
  return { consumer, connection, state: confirmed ? 'confirmed' : 'waiting', attempts: confirmed ? 1 : 0 };
}

import {
  comparePositions,
  type EventLog,
  type ExceptionRow,
  type LogState,
  originOf,
  type Position,
} from '@magpie/bus';
import type { Clock, Logger } from '@magpie/contract';
import type { DeliveryQueue } from './delivery/delivery-queue.ts';
import { PACING, type PacingValues, pacingByConsumer, pacingValue } from './delivery/pacing/stored.ts';
import type { StateWriter } from './log-access/state-writer.ts';
import type { MatchedPosition, Router } from './router/router.ts';
import type { Targets } from './targets/targets.ts';

/** How long the backlog of a removed target is kept, in ms. */
const ORPHAN_MS = 24 * 3_600_000;

type RowsOf = ReadonlyMap<string, readonly ExceptionRow[]>;

/** What the log has of targets besides its state, by consumer. */
interface Restored {
  readonly rows: RowsOf;
  readonly pacing: ReadonlyMap<string, PacingValues>;
}

const rowsByConsumer = ({ exceptions }: LogState): RowsOf => Map.groupBy(exceptions, ({ consumer }) => consumer);

interface RegistrationDeps {
  readonly log: EventLog;
  readonly writer: StateWriter;
  readonly router: Router;
  readonly matched: MatchedPosition;
  readonly targets: Targets;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps the log's register of consumers in step with the configured targets. */
export interface Registration {
  /** At start: takes back what waits, registers new targets, marks those that are gone as orphaned. */
  open(): Promise<void>;
  /** After a reload: the same for the targets that have come or gone. */
  change(added: readonly string[], removed: readonly string[]): Promise<void>;
  /**
   * Since when a target gets what comes in, ms since the epoch: what is older was never meant for it. 0 for one that began
   * further back, or is not known.
   */
  since(consumer: string): number;
}

export function createRegistration({
  log,
  writer,
  router,
  matched,
  targets,
  clock,
  logger,
}: RegistrationDeps): Registration {
  /** Where a target without history begins; undefined: with what comes from now on. */
  const startOf = async ({ target: { start } }: DeliveryQueue): Promise<Position | undefined> => {
    const head = log.head();
    if (start === 'now' || head === undefined) return undefined;
    if (start === 'earliest') return originOf(head);
    return (await log.positionBefore(start)) ?? originOf(head);
  };

  const since = new Map<string, number>();

  /**
   * Lets a target go on with what the log remembers of it, or begin. What lies at or before `maybeSentUpTo` may have been sent
   * before the restart.
   */
  const begin = async (
    queue: DeliveryQueue,
    state: LogState,
    { rows, pacing }: Restored,
    maybeSentUpTo: Position | undefined,
  ): Promise<void> => {
    const { consumer } = queue;
    const known = state.consumers.get(consumer);
    if (queue.target.start === 'now' && known?.orphanedAt === undefined)
      since.set(consumer, known?.since ?? clock.now());
    const dead = state.dead.get(consumer) ?? new Set();
    const own = rows.get(consumer) ?? [];
    for (const { position } of own) if (dead.has(position)) writer.forget(consumer, position);
    queue.restore(
      own.filter(({ position }) => !dead.has(position)),
      dead,
    );
    // After a crash a consumer may have a floor but no registration.
    const kept = state.floors.get(consumer);
    const isOld = known !== undefined || kept !== undefined;
    const floor = isOld ? kept : await startOf(queue);
    if (known?.orphanedAt !== undefined) await skipAbsence(queue, known.orphanedAt);
    const before = isOld ? { matched: state.matched, maybeSentUpTo, waiting: state.waiting.get(consumer) } : {};
    queue.begin(floor, { ...before, pacing: pacing.get(consumer) });
  };

  /** What came while the target was not configured was never meant for it. */
  const skipAbsence = async (queue: DeliveryQueue, since: number): Promise<void> => {
    // What came in the millisecond it went may have been meant for it: better once too often than never.
    const last = await log.positionBefore(since + 1);
    const [first] = await log.read(last, 1);
    const until = queue.first ?? matched.get();
    if (first && until && comparePositions(first.position, until) <= 0) queue.skip(first.position, until);
  };

  const restored = async (state: LogState): Promise<Restored> => ({
    rows: rowsByConsumer(state),
    pacing: pacingByConsumer(await log.values(PACING)),
  });

  const register = async (state: LogState, { pacing }: Restored): Promise<void> => {
    const now = clock.now();
    const isNew = (consumer: string): boolean => {
      const known = state.consumers.get(consumer);
      return !known || known.orphanedAt !== undefined;
    };
    const put = targets.queues().filter(({ consumer }) => isNew(consumer));
    const gone = [...state.consumers].filter(([consumer]) => !targets.queue(consumer));
    const orphan = gone.filter(([, { orphanedAt }]) => orphanedAt === undefined);
    // Receipt times never go back; the clock may. What has been received by now must not look as if it came afterwards.
    const [newest] = orphan.length > 0 ? await log.readBack(undefined, 1) : [];
    const at = Math.max(now, newest?.event.receivedAt ?? now);
    const remove = gone.filter(([, { orphanedAt = now }]) => now - orphanedAt > ORPHAN_MS);
    for (const [consumer] of remove) logger.warn({ target: consumer }, 'the backlog of a removed target is given up');
    // First where a new target begins, then that it is known: known without a floor it would count as idle.
    await writer.flush();
    await writer.commit({
      consumers: {
        put: put.map(({ consumer }) => ({ consumer, since: now })),
        orphan: orphan.map(([consumer]) => ({ consumer, at })),
        remove: remove.map(([consumer]) => consumer),
      },
      values: remove.flatMap(([consumer]) =>
        [...(pacing.get(consumer)?.keys() ?? [])].map((name) => pacingValue(consumer, name, undefined)),
      ),
    });
  };

  return {
    since: (consumer) => since.get(consumer) ?? 0,
    open: async () => {
      const state = await log.state();
      const head = log.head();
      router.place(state.matched ?? (head && originOf(head)));
      const kept = await restored(state);
      // What a killed process had matched last, and sent, it had not noted yet.
      for (const queue of targets.queues()) await begin(queue, state, kept, head);
      await register(state, kept);
      router.run();
    },
    change: async (added, removed) => {
      if (added.length === 0 && removed.length === 0) return;
      await targets.retired(added);
      await writer.flush();
      const state = await log.state();
      const kept = await restored(state);
      for (const consumer of added) {
        const queue = targets.queue(consumer);
        if (queue) await begin(queue, state, kept, state.matched);
      }
      await register(state, kept);
    },
  };
}

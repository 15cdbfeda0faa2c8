import type { Appended, Commit, ConnectionValue, EventLog, ExceptionRow, Outcome, Position } from '@magpie/bus';
import type { Clock } from '@magpie/contract';

/** A consumer whose floor is to be written: asked at the moment of the commit. */
export interface FloorSource {
  readonly consumer: string;
  /** The last position up to which everything is settled or an exception row; null while the consumer is idle. */
  floor(): Position | null;
  /** Bytes of bodies that wait beyond the floor. Called when that is written. */
  waiting(): number;
}

/** Whose values are to be written: asked at the moment of the commit, so that they are those of the floors in it. */
export interface ValueSource {
  /** What has changed since the last call. `matched` is up to where the router has matched, as the log will know it. */
  changes(matched: Position | undefined): readonly ConnectionValue[];
}

/**
 * Keeps what the log must remember about deliveries and writes it along with the next commit. A snapshot is taken
 * synchronously, so `matched` never runs ahead of a busy consumer's floor row.
 */
export interface StateWriter {
  /** The router has matched everything up to here. Called per batch. */
  matched(position: Position): void;
  /** A consumer's floor may have moved. Called per settled delivery. */
  touch(source: FloorSource): void;
  /** Values of a source may have changed. They are written with its floor, in one transaction. */
  keep(source: ValueSource): void;
  outcome(outcome: Outcome): void;
  /** A delivery needs an exception row (failed, held or blocked); `durable` is called once it is on disk. The latest row counts. */
  remember(row: ExceptionRow, durable: () => void): void;
  /** The exception row of a delivery goes. */
  forget(consumer: string, position: Position): void;
  /**
   * Writes a change, and in the same transaction everything that has gathered. Resolves, in the order of the calls, when the
   * change is durable.
   */
  commit(change: StateChange): Promise<readonly Appended[]>;
  /** Writes what has gathered now; resolves when that and all that was being written is durable. */
  flush(): Promise<void>;
  /** Writes nothing more on its own; call `flush` first. */
  close(): void;
}

/** What a caller of `commit` adds. */
export type StateChange = Pick<Commit, 'append' | 'deadLetters' | 'consumers' | 'exceptions' | 'values'>;

/** Changes gathered since the last commit. */
interface Gathered {
  matched: Position | undefined;
  readonly floors: Map<string, FloorSource>;
  readonly values: Set<ValueSource>;
  readonly outcomes: Outcome[];
  /** By consumer and position: a row to write, or undefined to remove it. */
  readonly rows: Map<string, { consumer: string; position: Position; row?: ExceptionRow; durable?: () => void }>;
}

const nothing = (): Gathered => ({
  matched: undefined,
  floors: new Map(),
  values: new Set(),
  outcomes: [],
  rows: new Map(),
});

const isEmpty = ({ matched, floors, values, outcomes, rows }: Gathered): boolean =>
  matched === undefined && floors.size === 0 && values.size === 0 && outcomes.length === 0 && rows.size === 0;

/**
 * Makes the state writer of a log. Changes that no append has taken along are written `intervalMs` after the first, never two such
 * commits at once: what a crash repeats is what was confirmed in about that time.
 */
export function createStateWriter(
  log: EventLog,
  clock: Pick<Clock, 'timeout'>,
  onFatal: (error: Error) => void,
  intervalMs = 10,
): StateWriter {
  let gathered = nothing();
  let matched: Position | undefined;
  /** Cancels the next write. */
  let cancel: (() => void) | undefined;
  let closed = false;
  /** Ends with the last commit, however that ends. */
  let writing: Promise<unknown> = Promise.resolve();

  const write = async (taken: Gathered): Promise<void> => {
    await log.commit(changeOf(taken, matched));
    for (const { durable } of taken.rows.values()) durable?.();
  };

  const flush = async (): Promise<void> => {
    if (isEmpty(gathered)) return void (await writing);
    const taken = gathered;
    gathered = nothing();
    const work = write(taken);
    writing = work.catch(() => undefined);
    await work;
  };

  // Two commits of one turn share a transaction. They are two because an append can be refused for want of space, and
  // what has gathered must not be refused with it. Only the change itself is waited for: changes resolve in call order.
  const commit = (change: StateChange): Promise<readonly Appended[]> => {
    // A row of the change is newer than what has gathered about it, such as the removal of an earlier one.
    for (const row of change.exceptions?.put ?? []) gathered.rows.delete(keyOf(row));
    const work = log.commit(change);
    writing = work.catch(() => undefined);
    flush().catch(onFatal);
    return work;
  };

  const schedule = (): void => {
    if (cancel || closed) return;
    cancel = clock.timeout(intervalMs, () => {
      flush()
        .catch(onFatal)
        .finally(() => {
          cancel = undefined;
          if (!isEmpty(gathered)) schedule();
        });
    });
  };

  return {
    matched: (position) => {
      matched = position;
      gathered.matched = position;
      schedule();
    },
    touch: (source) => {
      gathered.floors.set(source.consumer, source);
      schedule();
    },
    keep: (source) => {
      gathered.values.add(source);
      schedule();
    },
    outcome: (outcome) => {
      gathered.outcomes.push(outcome);
      schedule();
    },
    remember: (row, durable) => {
      const { consumer, position } = row;
      gathered.rows.set(keyOf(row), { consumer, position, row, durable });
      schedule();
    },
    forget: (consumer, position) => {
      gathered.rows.set(keyOf({ consumer, position }), { consumer, position });
      schedule();
    },
    commit,
    flush,
    close: () => {
      closed = true;
      cancel?.();
    },
  };
}

const keyOf = ({ consumer, position }: Pick<ExceptionRow, 'consumer' | 'position'>): string =>
  `${consumer} ${position}`;

function floorOf(source: FloorSource): NonNullable<Commit['floors']>[number] {
  const { consumer } = source;
  const floor = source.floor();
  return floor === null ? { consumer, floor } : { consumer, floor, waiting: source.waiting() };
}

function changeOf({ matched, floors, values, outcomes, rows }: Gathered, routed: Position | undefined): Commit {
  const change = {
    ...(matched === undefined ? {} : { matched }),
    floors: [...floors.values()].map(floorOf),
    outcomes,
    ...(values.size === 0 ? {} : { values: [...values].flatMap((source) => source.changes(routed)) }),
  };
  if (rows.size === 0) return change;
  const put = [...rows.values()].flatMap(({ row }) => row ?? []);
  const remove = [...rows.values()].filter(({ row }) => !row).map(({ consumer, position }) => ({ consumer, position }));
  return { ...change, exceptions: { put, remove } };
}

import type { Commit, DeadLetter, EventLog, Outcome, Position } from '@magpie/bus';

/** A consumer as the ledger sees it: where its floor stands right now. */
export interface FloorSource {
  readonly consumer: string;
  /** The last position up to which everything is settled; null while the consumer is idle. */
  floor(): Position | null;
}

/**
 * Keeps what the log must remember about deliveries and writes it along with the next commit. A snapshot is taken
 * synchronously, so `matched` never runs ahead of a busy consumer's floor row.
 */
export interface Ledger {
  /** The router has matched everything up to here. Called per batch. */
  matched(position: Position): void;
  /** A consumer's floor may have moved. Called per settled delivery. */
  touch(source: FloorSource): void;
  outcome(outcome: Outcome): void;
  /** What has changed since the last call, to be written with the caller's commit; undefined when nothing has. */
  take(): Pick<Commit, 'matched' | 'floors' | 'outcomes'> | undefined;
  /** Writes a dead letter; resolves when it is durable. */
  deadLetter(letter: DeadLetter): Promise<void>;
  /** Writes what has changed now. */
  flush(): Promise<void>;
  /** Stops the timer; call `flush` first. */
  close(): void;
}

/**
 * Makes a ledger on a log. Changes that no append has taken along are written `intervalMs` after the first, never two such
 * commits at once: what a crash repeats is what was confirmed in about that time.
 */
export function createLedger(log: EventLog, onFatal: (error: Error) => void, intervalMs = 10): Ledger {
  let matched: Position | undefined;
  let dirty = new Map<string, FloorSource>();
  let outcomes: Outcome[] = [];
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const isDirty = (): boolean => matched !== undefined || dirty.size > 0 || outcomes.length > 0;

  const take = (): Pick<Commit, 'matched' | 'floors' | 'outcomes'> | undefined => {
    if (!isDirty()) return undefined;
    const floors = [...dirty.values()].map((source) => ({ consumer: source.consumer, floor: source.floor() }));
    const change = {
      ...(matched === undefined ? {} : { matched }),
      ...(floors.length === 0 ? {} : { floors }),
      ...(outcomes.length === 0 ? {} : { outcomes }),
    };
    matched = undefined;
    dirty = new Map();
    outcomes = [];
    return change;
  };

  const flush = async (): Promise<void> => {
    const change = take();
    if (change) await log.commit(change);
  };

  const schedule = (): void => {
    if (timer || closed) return;
    timer = setTimeout(() => {
      flush()
        .catch(onFatal)
        .finally(() => {
          timer = undefined;
          if (isDirty()) schedule();
        });
    }, intervalMs);
  };

  return {
    matched: (position) => {
      matched = position;
      schedule();
    },
    touch: (source) => {
      dirty.set(source.consumer, source);
      schedule();
    },
    outcome: (outcome) => {
      outcomes.push(outcome);
      schedule();
    },
    take,
    deadLetter: async (letter) => {
      await log.commit({ ...take(), deadLetters: { put: [letter] } });
    },
    flush,
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

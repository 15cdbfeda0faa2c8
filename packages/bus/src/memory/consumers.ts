import type {
  Commit,
  ConnectionValue,
  ConsumerChanges,
  DeadLetter,
  DeadLetterQuery,
  ExceptionRow,
  KnownConsumer,
  LogState,
  OrphanedConsumer,
  Outcome,
  Position,
} from '../contract/index.ts';
import { comparePositions } from '../contract/index.ts';
import { deadPositions } from '../shared/dead-positions.ts';

/** What the memory store keeps besides the events. */
export interface MemoryConsumers {
  /** Applies everything of a commit but the appends. */
  apply(change: Commit): void;
  state(): LogState;
  values(connection: string): ReadonlyMap<string, string>;
  /** The lowest of `matched` and the floors, without those orphaned at or before a time in ms. */
  lowestFloor(orphanedBefore: number): Position | undefined;
  orphans(): readonly OrphanedConsumer[];
  deadLetters(query: DeadLetterQuery): readonly DeadLetter[];
  deadLetter(id: string): DeadLetter | undefined;
  deadLetterCount(): number;
  outcomes(ref: string): readonly Outcome[];
  /** Forgets outcomes before a time, ms since the epoch. */
  forgetOutcomes(before: number): void;
}

/** Makes the empty state of a memory store. */
export function createMemoryConsumers(): MemoryConsumers {
  let matched: Position | undefined;
  const consumers = new Map<string, KnownConsumer>();
  const floors = new Map<string, Position>();
  const waiting = new Map<string, number>();
  const exceptions = new Map<string, ExceptionRow>();
  const letters = new Map<string, DeadLetter>();
  const outcomes = new Map<string, Outcome>();
  const values = new Map<string, Map<string, string>>();

  const forget = (consumer: string): void => {
    consumers.delete(consumer);
    floors.delete(consumer);
    waiting.delete(consumer);
    for (const [key, row] of exceptions) if (row.consumer === consumer) exceptions.delete(key);
  };
  return {
    apply: (change) => {
      for (const consumer of change.consumers?.remove ?? []) forget(consumer);
      applyKnown(consumers, change.consumers ?? {});
      matched = change.matched ?? matched;
      for (const { consumer, floor, waiting: bytes } of change.floors ?? []) {
        if (floor === null) floors.delete(consumer);
        else floors.set(consumer, floor);
        if (floor === null || bytes === undefined) waiting.delete(consumer);
        else waiting.set(consumer, bytes);
      }
      for (const row of change.exceptions?.remove ?? []) exceptions.delete(exceptionKey(row));
      for (const row of change.exceptions?.put ?? []) exceptions.set(exceptionKey(row), row);
      for (const id of change.deadLetters?.remove ?? []) letters.delete(id);
      for (const letter of change.deadLetters?.put ?? []) letters.set(letter.id, letter);
      for (const outcome of change.outcomes ?? [])
        outcomes.set(JSON.stringify([outcome.ref, outcome.consumer]), outcome);
      for (const value of change.values ?? []) keep(values, value);
    },
    state: () => ({
      matched,
      consumers: new Map(consumers),
      floors: new Map(floors),
      waiting: new Map(waiting),
      exceptions: [...exceptions.values()].toSorted(byConsumerAndPosition),
      dead: deadPositions([...letters.values()], {
        floorOf: (consumer) => floors.get(consumer) ?? matched,
        hasRow: (consumer, position) => exceptions.has(exceptionKey({ consumer, position })),
      }),
    }),
    values: (connection) => new Map(values.get(connection)),
    lowestFloor: (orphanedBefore) => {
      const pins = [...floors].filter(
        ([consumer]) => (consumers.get(consumer)?.orphanedAt ?? Number.POSITIVE_INFINITY) > orphanedBefore,
      );
      return matched && [matched, ...pins.map(([, floor]) => floor)].toSorted(comparePositions)[0];
    },
    orphans: () =>
      [...consumers]
        .flatMap(([consumer, { orphanedAt }]) => {
          if (orphanedAt === undefined) return [];
          const backlog = floors.has(consumer) || [...exceptions.values()].some((row) => row.consumer === consumer);
          return { consumer, orphanedAt, backlog };
        })
        .toSorted((a, b) => compareText(a.consumer, b.consumer)),
    deadLetters: (query) =>
      [...letters.values()]
        .filter((letter) => matches(letter, query))
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, query.limit),
    deadLetter: (id) => letters.get(id),
    deadLetterCount: () => letters.size,
    outcomes: (ref) =>
      [...outcomes.values()]
        .filter((outcome) => outcome.ref === ref)
        .toSorted((a, b) => compareText(a.consumer, b.consumer)),
    forgetOutcomes: (before) => {
      for (const [key, { at }] of outcomes) if (at < before) outcomes.delete(key);
    },
  };
}

function applyKnown(consumers: Map<string, KnownConsumer>, { put = [], orphan = [] }: ConsumerChanges): void {
  for (const { consumer, since } of put) consumers.set(consumer, { since });
  for (const { consumer, at } of orphan) {
    const known = consumers.get(consumer);
    if (known) consumers.set(consumer, { orphanedAt: at, ...known });
  }
}

function keep(values: Map<string, Map<string, string>>, { connection, key, value }: ConnectionValue): void {
  const own = values.get(connection) ?? new Map<string, string>();
  values.set(connection, own);
  if (value === undefined) own.delete(key);
  else own.set(key, value);
}

const exceptionKey = ({ consumer, position }: Pick<ExceptionRow, 'consumer' | 'position'>): string =>
  JSON.stringify([consumer, position]);

const matches = (
  letter: DeadLetter,
  { consumer, reason, since, until, source, ref, after }: DeadLetterQuery,
): boolean =>
  (consumer === undefined || letter.consumer === consumer) &&
  (reason === undefined || letter.reason === reason) &&
  (since === undefined || letter.at >= since) &&
  (until === undefined || letter.at < until) &&
  (source === undefined || letter.event.source === source) &&
  (ref === undefined || letter.event.ref === ref) &&
  (after === undefined || letter.id > after);

const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const byConsumerAndPosition = (a: ExceptionRow, b: ExceptionRow): number =>
  compareText(a.consumer, b.consumer) || comparePositions(a.position, b.position);

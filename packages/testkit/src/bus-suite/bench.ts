import type { EventLog, ExceptionRow, LogOptions, LogState, Position } from '@magpie/bus';
import { type Event, newRef } from '@magpie/contract';

/** A log under test. */
export interface BusInstance {
  readonly log: EventLog;
  /** Closes the log and opens what it left behind again; undefined for a store that keeps nothing. */
  reopen?(options: LogOptions): Promise<EventLog>;
  /** Closes the log and removes what it left behind. Called once per case. */
  dispose(): Promise<void>;
}

/** A store and how to open a fresh, empty log of it. */
export interface BusSuite {
  readonly name: string;
  open(options: LogOptions): Promise<BusInstance>;
}

/** What a case gets: logs that are cleaned up after it. */
export interface BusBench {
  /** Opens a fresh, empty log. */
  open(options?: LogOptions): Promise<EventLog>;
  /** Closes the log opened last and opens it again; the same log when the store keeps nothing. */
  reopen(options?: LogOptions): Promise<EventLog>;
}

/** Cases by title. */
export type BusCases = Readonly<Record<string, (bench: BusBench) => Promise<void>>>;

/** A clock that stands still until it is moved. */
export interface ManualTime {
  now(): number;
  advance(ms: number): void;
}

/** Makes a clock that stands at `start`, ms since the epoch. */
export function manualTime(start = Date.now()): ManualTime {
  let time = start;
  return {
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
  };
}

/** A plain event with a fresh ref, received now, with `parts` replaced. */
export function testEvent(parts: Partial<Event> = {}): Event {
  const now = Date.now();
  return {
    ref: newRef(),
    source: 'floor',
    address: { scheme: 'topic', segments: ['plant', 'pump-7', 'alarm'] },
    kind: 'message',
    key: 'topic:plant/pump-7/alarm',
    time: now,
    receivedAt: now,
    body: Buffer.from('{"severity":4}'),
    headers: [],
    via: [],
    origin: {},
    ...parts,
  };
}

/** A row of a delivery that failed once, with `parts` replaced. */
export const exception = (position: Position, parts: Partial<ExceptionRow> = {}): ExceptionRow => ({
  consumer: 'alarms/chat',
  lane: 'pump-7',
  position,
  state: 'retry',
  attempts: [{ at: 1000, error: 'Transient', message: 'nack' }],
  nextAttempt: 2000,
  event: testEvent({ body: new Uint8Array([0, 255, 10]), headers: [['trace', new Uint8Array([1, 2])]] }),
  ...parts,
});

/** The state of a log in which nothing has been matched and no consumer is known. */
export const NO_STATE: LogState = {
  matched: undefined,
  consumers: new Map(),
  floors: new Map(),
  waiting: new Map(),
  exceptions: [],
  dead: new Map(),
};

/** Appends events in one commit and returns their positions; fails when one was not stored. */
export async function appendAll(log: EventLog, events: readonly Event[]): Promise<Position[]> {
  const verdicts = await log.commit({ append: events.map((event) => ({ event })) });
  return verdicts.map((verdict) => {
    if (verdict.type !== 'stored') throw new Error(`expected a stored event, got ${verdict.type}`);
    return verdict.position;
  });
}

/** `count` plain events. */
export const testEvents = (count: number, parts: Partial<Event> = {}): Event[] =>
  Array.from({ length: count }, () => testEvent(parts));

/** The only element of a list that must not be empty. */
export function firstOf<Item>(items: readonly Item[]): Item {
  const [first] = items;
  if (first === undefined) throw new Error('expected a list that is not empty');
  return first;
}

/** Bytes of any kind as plain arrays, so that equality looks at contents only. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

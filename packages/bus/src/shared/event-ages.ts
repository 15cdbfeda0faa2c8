import type { Clock } from '@magpie/contract';
import type { MachineTime } from './machine-time.ts';

/** How long ago events were received, unmoved by a wall clock that is set. */
export interface EventAges {
  /** Milliseconds since a receipt at `receivedAt`, wall time in ms since the epoch. Negative when that lies ahead. */
  of(receivedAt: number): number;
  /** What the next process needs to know, to be kept with the log. */
  save(): SavedAges;
  /** What a human must know, as a sentence: the clock cannot be right. */
  alarm(): string | undefined;
}

/** A moment by all clocks, and what had been done to the wall clock by then. Plain data. */
export interface SavedAges {
  /** Wall time, ms since the epoch. */
  readonly wall: number;
  /** Milliseconds since the machine was started. */
  readonly uptime: number;
  /** Which start of the machine that was; undefined where the system does not name it. */
  readonly boot: string | undefined;
  readonly steps: readonly Step[];
}

/** From so much on, in ms, a difference between wall time and elapsed time is a clock that was set. */
const STEP_MS = 1000;
/** Steps kept apart; older ones count as one. */
const STEPS = 100;
/** A longer time between two starts of a machine, in ms, is a clock that is wrong: half a year. */
const LONGEST_ABSENCE_MS = 183 * 86_400_000;

/** The clock was set forward `by` so many ms when it said `at`. */
export interface Step {
  readonly at: number;
  readonly by: number;
}

/**
 * Makes the ages of the events of one log; see ADR 0020. Receipts are stamped with wall time. While a process runs, the
 * monotonic clock tells how much time has really passed; across a restart the uptime of the machine does, if that was not
 * started again; else only the wall clock can.
 */
export function createEventAges(
  clock: Pick<Clock, 'now' | 'monotonic'>,
  machine: MachineTime,
  saved?: SavedAges,
): EventAges {
  let seenWall = clock.now();
  let seenMonotonic = clock.monotonic();
  let steps: readonly Step[] = saved?.steps ?? [];
  let alarm: string | undefined;

  const look = (): number => {
    const wall = clock.now();
    const monotonic = clock.monotonic();
    const at = seenWall + monotonic - seenMonotonic;
    const by = wall - at;
    seenWall = wall;
    seenMonotonic = monotonic;
    if (by >= STEP_MS) steps = bounded([...steps, { at, by }]);
    else if (by <= -STEP_MS) steps = takenBack(steps, -by);
    return wall;
  };
  if (saved !== undefined) {
    const elapsed = sinceSaved(saved, machine);
    const isAbsurd = elapsed === undefined && seenWall - saved.wall > LONGEST_ABSENCE_MS;
    // The moment of then, as this process would have seen it.
    if (elapsed !== undefined || isAbsurd) {
      seenWall = saved.wall;
      seenMonotonic -= elapsed ?? machine.uptime();
    }
    if (isAbsurd) alarm = absurdSentence(saved.wall, clock.now());
    look();
  }
  return {
    of: (receivedAt) => {
      const age = look() - receivedAt;
      if (steps.length === 0) return age;
      return steps.reduce((left, { at, by }) => (receivedAt <= at ? left - by : left), age);
    },
    save: () => ({ wall: look(), uptime: machine.uptime(), boot: machine.boot(), steps }),
    alarm: () => alarm,
  };
}

/** Milliseconds between a saved moment and now; undefined when the machine was started since, or that is unknown. */
function sinceSaved({ boot, uptime }: SavedAges, machine: MachineTime): number | undefined {
  const elapsed = machine.uptime() - uptime;
  return boot !== undefined && boot === machine.boot() && elapsed >= 0 ? elapsed : undefined;
}

const absurdSentence = (then: number, now: number): string =>
  `the clock says ${new Date(now).toISOString()}, but the log was last in use on ${new Date(then).toISOString()}: messages that ` +
  'wait do not count as older for that. Set the clock right and start again';

/** Set back, the clock undoes the latest steps forward. */
function takenBack(steps: readonly Step[], by: number): readonly Step[] {
  const last = steps.at(-1);
  if (last === undefined) return steps;
  const before = steps.slice(0, -1);
  return last.by <= by ? takenBack(before, by - last.by) : [...before, { ...last, by: last.by - by }];
}

function bounded(steps: readonly Step[]): readonly Step[] {
  const [first, second, ...others] = steps;
  if (steps.length <= STEPS || !first || !second) return steps;
  return [{ at: second.at, by: first.by + second.by }, ...others];
}

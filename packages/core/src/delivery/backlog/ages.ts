import type { Clock } from '@magpie/contract';

/** How long ago events were received, unmoved by a wall clock that is set. */
export interface Ages {
  /** Milliseconds since a receipt at `receivedAt`, wall time in ms since the epoch. Negative when that lies ahead. */
  of(receivedAt: number): number;
}

/** From so much on, in ms, a difference between wall time and elapsed time is a clock that was set. */
const STEP_MS = 1000;
/** Steps kept apart; older ones count as one. */
const STEPS = 100;

/** The clock was set forward `by` so many ms when it said `at`. */
interface Step {
  readonly at: number;
  readonly by: number;
}

/**
 * Makes the ages of events for one caller. Receipts are stamped with wall time, and a wait may span a restart, so only the wall
 * clock can tell an age; but when it is set forward while the gateway runs, what was received before has not become older.
 */
export function createAges(clock: Pick<Clock, 'now' | 'monotonic'>): Ages {
  let seenWall = clock.now();
  let seenMonotonic = clock.monotonic();
  let steps: readonly Step[] = [];

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
  return {
    of: (receivedAt) => {
      const age = look() - receivedAt;
      if (steps.length === 0) return age;
      return steps.reduce((left, { at, by }) => (receivedAt <= at ? left - by : left), age);
    },
  };
}

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

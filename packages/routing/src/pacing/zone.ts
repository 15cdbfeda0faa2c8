/** A day on a clock that is not set, in ms. */
export const DAY_MS = 86_400_000;

/** The clock of a time zone. Wall times are in ms as if the zone were UTC; instants are ms since the epoch. */
export interface Zone {
  /** What the clock of the zone shows at an instant. */
  wallTime(instant: number): number;
  /**
   * When the clock of the zone shows a wall time: the first time when it does so twice, and when it never does, as much later as if it
   * had not been set on.
   */
  instant(wallTime: number): number;
}

/** Makes the clock of a zone by its name in the IANA database; without one, of the machine. Throws `RangeError` for no such zone. */
export function createZone(timeZone: string | undefined): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, calendar: 'iso8601', numberingSystem: 'latn', hourCycle: 'h23' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  const wallTime = (instant: number): number => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const whole = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
    return whole + (instant % 1000);
  };
  const offset = (instant: number): number => wallTime(instant) - instant;
  return {
    wallTime,
    instant: (wall) => {
      const [before, after] = [offset(wall - DAY_MS), offset(wall + DAY_MS)];
      const earlier = wall - Math.max(before, after);
      const later = wall - Math.min(before, after);
      if (wallTime(earlier) === wall) return earlier;
      return wallTime(later) === wall ? later : wall - before;
    },
  };
}

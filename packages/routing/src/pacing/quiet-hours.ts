import { didYouMean } from '@magpie/schema-messages';
import type { Report } from '../report.ts';
import { compileCondition } from '../route/condition.ts';
import { rejection } from '../route/rejection.ts';
import { DAYS, type QuietKeys } from './schema.ts';
import { compileSummary, type PacingContext } from './summary.ts';
import type { QuietHours, QuietState } from './types.ts';
import { createZone, DAY_MS, type Zone } from './zone.ts';

const MINUTE_MS = 60_000;

/** Compiles `quiet`; undefined after reporting. */
export function compileQuietHours(keys: QuietKeys, context: PacingContext, report: Report): QuietHours | undefined {
  const zone = compileZone(keys.timeZone, report.at('timeZone'));
  const summary = keys.summary === undefined ? null : compileSummary(keys.summary, context, report.at('summary'));
  const unless =
    keys.unless === undefined ? null : compileCondition(keys.unless, context.language, report.at('unless'));
  if (zone === undefined || summary === undefined || unless === undefined) return undefined;
  const [from, to] = [timeOf(keys.from), timeOf(keys.to)];
  const hours: Hours = {
    ...{ zone, from, length: to > from ? to - from : to - from + DAY_MS },
    days: new Set(keys.days?.map((day) => DAYS.indexOf(day)) ?? DAYS.keys()),
  };
  return {
    then: keys.then,
    longest: hours.length,
    state: (now) => stateAt(hours, now),
    ...(summary === null ? {} : { summary }),
    ...(unless === null
      ? {}
      : {
          isExempt: (event) => {
            try {
              return unless.holds(context.scope(event));
            } catch (error) {
              throw rejection(context.route, error);
            }
          },
        }),
  };
}

/** Quiet hours of a week. */
interface Hours {
  readonly zone: Zone;
  /** ms after midnight. */
  readonly from: number;
  /** ms on the clock of the zone. */
  readonly length: number;
  /** Days on which they begin, 0 is Sunday. */
  readonly days: ReadonlySet<number>;
}

/**
 * Whether it is quiet. Hours begin and end when the clock of the zone shows those times: at the first of two when it is set back, and
 * as much after the gap as they lie in it when it is set on.
 */
function stateAt({ zone, from, length, days }: Hours, now: number): QuietState {
  const today = Math.floor(zone.wallTime(now) / DAY_MS);
  for (let day = today - 1; ; day++) {
    if (!days.has(weekday(day))) continue;
    const begin = zone.instant(day * DAY_MS + from);
    const end = zone.instant(day * DAY_MS + from + length);
    if (now >= end) continue;
    return now >= begin ? { isQuiet: true, until: end } : { isQuiet: false, until: begin };
  }
}

/** 1970-01-01 was a Thursday. */
const weekday = (day: number): number => (((day + 4) % 7) + 7) % 7;

function timeOf(text: string): number {
  const [hours, minutes] = text.split(':').map(Number);
  return ((hours ?? 0) * 60 + (minutes ?? 0)) * MINUTE_MS;
}

function compileZone(name: string | undefined, report: Report): Zone | undefined {
  try {
    return createZone(name);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const hint =
      didYouMean(name ?? '', Intl.supportedValuesOf('timeZone')) ?? 'expected a name such as "Europe/Berlin"';
    return void report.error(`there is no time zone "${name}"`, { hint });
  }
}

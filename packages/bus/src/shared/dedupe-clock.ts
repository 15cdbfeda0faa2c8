import type { SavedAges } from './event-ages.ts';

/** When a source had no connection, in log time. Without `to` it has none now. */
interface Outage {
  readonly from: number;
  readonly to?: number;
}

/** Outages of one source that are kept apart; the time between older ones counts as an outage too. */
const MOST_OUTAGES = 100;

/** What a log keeps of its dedupe clock for the next process. */
export interface SavedDedupeClock {
  /** Log time when it was saved. */
  readonly at: number;
  readonly outages: Readonly<Record<string, readonly Outage[]>>;
}

/** Everything about time that a log keeps for the next process. */
export interface SavedClock extends SavedDedupeClock {
  readonly ages?: SavedAges;
}

/**
 * The clock of a dedupe window. Log time is ms that pass only while the log is open; and of that, the time that a source had
 * no connection does not count for what is remembered of it.
 */
export interface DedupeClock {
  now(): number;
  /** What was remembered of a source at or before this time is forgotten at `now`. Called per event with a dedupe key. */
  horizon(source: string, now: number): number;
  /** The lowest horizon of all sources at `now`. Called per batch. */
  lowest(now: number): number;
  /** A source has lost its connection, or has it again. */
  linked(source: string, isUp: boolean): void;
  save(): SavedDedupeClock;
}

/** Makes the dedupe clock of a log; it continues at `saved` and is driven by `steady`, ms that never jump. */
export function createDedupeClock(steady: () => number, windowMs: number, saved?: SavedDedupeClock): DedupeClock {
  const shift = saved === undefined ? 0 : saved.at - steady();
  const now = (): number => steady() + shift;
  // Sources that are still down report it again; one that was removed from the configuration must not hold the window open.
  const outages = new Map(Object.entries(saved?.outages ?? {}).map(([source, list]) => [source, ended(list, now())]));

  const linked = (source: string, isUp: boolean): void => {
    const known = outages.get(source) ?? [];
    const last = known.at(-1);
    const isDown = last !== undefined && last.to === undefined;
    if (isDown !== isUp) return;
    outages.set(source, isUp ? ended(known, now()) : bounded([...known, { from: now() }]));
  };
  /** Drops outages that no horizon depends on. */
  const prune = (at: number): void => {
    for (const [source, list] of outages) {
      const horizon = horizonOf(list, at, windowMs);
      const left = list.filter(({ to }) => to === undefined || to > horizon);
      if (left.length === 0) outages.delete(source);
      else if (left.length < list.length) outages.set(source, left);
    }
  };
  return {
    now,
    horizon: (source, at) => {
      const list = outages.get(source);
      return list === undefined ? at - windowMs : horizonOf(list, at, windowMs);
    },
    lowest: (at) => {
      if (outages.size === 0) return at - windowMs;
      prune(at);
      return lowestHorizon(outages.values(), at, windowMs);
    },
    linked,
    save: () => ({ at: now(), outages: Object.fromEntries(outages) }),
  };
}

/** The lowest horizon at the time a clock was saved. */
export const lowestSaved = ({ at, outages }: SavedDedupeClock, windowMs: number): number =>
  lowestHorizon(Object.values(outages), at, windowMs);

function lowestHorizon(all: Iterable<readonly Outage[]>, at: number, windowMs: number): number {
  let lowest = at - windowMs;
  for (const list of all) lowest = Math.min(lowest, horizonOf(list, at, windowMs));
  return lowest;
}

/** The time from which to `at` as much time has passed as the window is long, outages left out. */
function horizonOf(outages: readonly Outage[], at: number, windowMs: number): number {
  let left = windowMs;
  let end = at;
  for (const { from, to = at } of outages.toReversed()) {
    if (end - to >= left) break;
    left -= end - to;
    end = from;
  }
  return end - left;
}

const ended = (list: readonly Outage[], to: number): readonly Outage[] => list.map((outage) => ({ to, ...outage }));

function bounded(list: readonly Outage[]): readonly Outage[] {
  const [first, second, ...others] = list;
  if (list.length <= MOST_OUTAGES || !first || !second) return list;
  return [{ ...second, from: first.from }, ...others];
}

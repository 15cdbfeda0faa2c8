import type { Clock } from './clock.ts';

/** Most keys that are tracked; beyond it the one logged longest ago is forgotten. */
const MOST_KEYS = 1000;

/** Keeps log lines about one thing apart in time. */
export interface Quiet {
  /**
   * Whether a line about this key is due. Called per candidate line.
   * @returns how many lines about it were kept back since the last one; undefined while it is to be kept back itself.
   */
  due(key: string): number | undefined;
}

/** At most one line about each key in `ms`, for what strangers or a flapping peer may cause many times a second. */
export function createQuiet(clock: Pick<Clock, 'monotonic'>, ms = 60_000): Quiet {
  const said = new Map<string, { readonly at: number; kept: number }>();
  return {
    due(key) {
      const now = clock.monotonic();
      const last = said.get(key);
      if (last && now - last.at < ms) {
        last.kept++;
        return undefined;
      }
      said.delete(key);
      said.set(key, { at: now, kept: 0 });
      const [oldest] = said.keys();
      if (said.size > MOST_KEYS && oldest !== undefined) said.delete(oldest);
      return last?.kept ?? 0;
    },
  };
}

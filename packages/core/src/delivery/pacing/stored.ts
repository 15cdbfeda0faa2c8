import type { ConnectionValue } from '@magpie/bus';

/** Under which name the pacing of targets is kept beside the values of connections. No connection has it. */
export const PACING = '$pacing';

/** What is kept of one target, by name. */
export type PacingValues = ReadonlyMap<string, string>;

/** Splits what the log has kept by consumer. Called at start and when a reload brings targets. */
export function pacingByConsumer(values: ReadonlyMap<string, string>): ReadonlyMap<string, PacingValues> {
  const all = new Map<string, Map<string, string>>();
  for (const [key, value] of values) {
    const end = key.indexOf('\n');
    const consumer = key.slice(0, end);
    const own = all.get(consumer) ?? new Map<string, string>();
    all.set(consumer, own.set(key.slice(end + 1), value));
  }
  return all;
}

/** A value of a target as the log keeps it; undefined: it is forgotten. */
export const pacingValue = (consumer: string, name: string, value: string | undefined): ConnectionValue => ({
  connection: PACING,
  key: `${consumer}\n${name}`,
  value,
});

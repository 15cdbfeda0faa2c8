import { isDeepStrictEqual } from 'node:util';
import type { Config } from '@magpie/config';

/** Keys of the section `gateway` that are read once, at start; all of `http` is. */
const FIXED = ['id', 'dataDir', 'dedupe', 'limits'] as const;

/** Keys that differ from the running configuration but take effect only after a restart, such as `gateway.dataDir`. */
export function restartNeeded(running: Config, wanted: Config): readonly string[] {
  const gateway = FIXED.flatMap((key) => differences(`gateway.${key}`, running.gateway[key], wanted.gateway[key]));
  return [...gateway, ...differences('http', running.http, wanted.http)];
}

/** What is in force once the wanted configuration has been loaded: its own values but for those that need a restart. */
export function inForce(running: Config, wanted: Config): Config {
  const { id, dataDir, dedupe, limits } = running.gateway;
  return { ...wanted, gateway: { ...wanted.gateway, id, dataDir, dedupe, limits }, http: running.http };
}

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Paths of the values that differ; lists are compared as a whole. */
function differences(path: string, before: unknown, after: unknown): readonly string[] {
  if (!isMapping(before) || !isMapping(after)) return isDeepStrictEqual(before, after) ? [] : [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(`${path}.${key}`, before[key], after[key]));
}

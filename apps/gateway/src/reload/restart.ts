import { isDeepStrictEqual } from 'node:util';
import { type Config, RESTART_KEYS } from '@magpie/config';

/** Keys that differ from the running configuration but take effect only after a restart, such as `gateway.dataDir`. */
export const restartNeeded = (running: Config, wanted: Config): readonly string[] =>
  RESTART_KEYS.flatMap((path) => differences(path.join('.'), valueAt(running, path), valueAt(wanted, path)));

/** The configuration in force after loading `wanted`: its values, except those that need a restart. */
export const inForce = (running: Config, wanted: Config): Config =>
  RESTART_KEYS.reduce((config, path) => withValue(config, path, valueAt(running, path)), wanted);

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const valueAt = (value: unknown, [key, ...rest]: readonly string[]): unknown =>
  key === undefined || !isMapping(value) ? value : valueAt(value[key], rest);

/** A copy with another value at a path that exists in the type. */
function withValue<T extends object>(whole: T, [key = '', ...rest]: readonly string[], value: unknown): T {
  const inner = (whole as Mapping)[key];
  return { ...whole, [key]: rest.length > 0 && isMapping(inner) ? withValue(inner, rest, value) : value };
}

/** Paths of the values that differ; lists are compared as a whole. */
function differences(path: string, before: unknown, after: unknown): readonly string[] {
  if (!isMapping(before) || !isMapping(after)) return isDeepStrictEqual(before, after) ? [] : [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(`${path}.${key}`, before[key], after[key]));
}

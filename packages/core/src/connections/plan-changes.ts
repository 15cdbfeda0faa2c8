import { isDeepStrictEqual } from 'node:util';
import { Secret } from '@magpie/contract';
import { type ConnectionInfo, DIRECT, type RouteSet, type Target } from '@magpie/routing';
import type { Plan, ReloadReport } from '../gateway-api/index.ts';

/**
 * What a change from one plan to another does. Pure: a dry run and the change itself say the same. `builtins`: names of
 * connections without a link of their own.
 */
export function planChanges(before: Plan, after: Plan, builtins: ReadonlySet<string>): ReloadReport {
  const [had, wanted] = [linked(before, builtins), linked(after, builtins)];
  const stays = [...had.keys()].filter((name) => wanted.has(name));
  const isUnchanged = (name: string): boolean => isSameConnection(had.get(name), wanted.get(name));
  const logged = difference(targetsOf(before.routes, had), targetsOf(after.routes, wanted));
  const unlogged = difference(unloggedOf(before.routes, had), unloggedOf(after.routes, wanted));
  return {
    connections: {
      added: [...wanted.keys()].filter((name) => !had.has(name)),
      removed: [...had.keys()].filter((name) => !wanted.has(name)),
      changed: stays.filter((name) => !isUnchanged(name)),
      unchanged: stays.filter(isUnchanged),
    },
    targets: {
      added: [...logged.added, ...unlogged.added],
      removed: [...logged.removed, ...unlogged.removed],
      kept: logged.kept + unlogged.kept,
    },
  };
}

type Linked = ReadonlyMap<string, unknown>;

/** The connections of a plan that have a link of their own, by name. */
export const linked = ({ connections }: Plan, builtins: ReadonlySet<string>): ReadonlyMap<string, ConnectionInfo> =>
  new Map([...connections].filter(([name]) => !builtins.has(name)));

/** All targets fed through the log that have a link, those of direct sends included. */
export function targetsOf(routes: RouteSet, links: Linked): readonly Target[] {
  const direct = [...links.keys()].flatMap((name) => routes.target(`${DIRECT}/${name}`) ?? []);
  return [...routes.targets.filter(({ connection }) => links.has(connection)), ...direct];
}

const unloggedOf = ({ unlogged }: RouteSet, links: Linked): readonly Target[] =>
  unlogged.filter(({ connection }) => links.has(connection));

function difference(before: readonly Target[], after: readonly Target[]): ReloadReport['targets'] {
  const had = new Set(before.map(({ consumer }) => consumer));
  const wanted = new Set(after.map(({ consumer }) => consumer));
  const removed = [...had].filter((consumer) => !wanted.has(consumer));
  return { added: [...wanted].filter((consumer) => !had.has(consumer)), removed, kept: had.size - removed.length };
}

/** Whether two configurations of a connection are equal, secrets included: a reload leaves such a connection alone. */
const isSameConnection = (a: ConnectionInfo | undefined, b: ConnectionInfo | undefined): boolean =>
  a?.adapter === b?.adapter && isDeepStrictEqual(revealed(a?.config), revealed(b?.config));

/** The same value with secrets as plain values, so that they are compared as well. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (Array.isArray(value)) return value.map(revealed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

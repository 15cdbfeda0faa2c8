import { isSameConnection, type Plan, type ReloadReport } from '@magpie/core';
import { type ConnectionInfo, DIRECT } from '@magpie/routing';

/**
 * What a change from one plan to another would do, for a dry run; says the same as the report of the change itself.
 * `builtins`: names of connections without a link of their own.
 */
export function plannedChanges(before: Plan, after: Plan, builtins: ReadonlySet<string>): ReloadReport {
  const [had, wanted] = [links(before, builtins), links(after, builtins)];
  const stays = [...had.keys()].filter((name) => wanted.has(name));
  const isUnchanged = (name: string): boolean => isSameConnection(had.get(name), wanted.get(name));
  const kinds = ['targets', 'unlogged'] as const;
  const targets = kinds.map((kind) => difference(consumers(before, had, kind), consumers(after, wanted, kind)));
  return {
    connections: {
      added: [...wanted.keys()].filter((name) => !had.has(name)),
      removed: [...had.keys()].filter((name) => !wanted.has(name)),
      changed: stays.filter((name) => !isUnchanged(name)),
      unchanged: stays.filter(isUnchanged),
    },
    targets: {
      added: targets.flatMap(({ added }) => added),
      removed: targets.flatMap(({ removed }) => removed),
      kept: targets.reduce((sum, { kept }) => sum + kept, 0),
    },
  };
}

function difference(had: ReadonlySet<string>, wanted: ReadonlySet<string>): ReloadReport['targets'] {
  const removed = [...had].filter((consumer) => !wanted.has(consumer));
  return { added: [...wanted].filter((consumer) => !had.has(consumer)), removed, kept: had.size - removed.length };
}

type Links = ReadonlyMap<string, ConnectionInfo>;

const links = ({ connections }: Plan, builtins: ReadonlySet<string>): Links =>
  new Map([...connections].filter(([name]) => !builtins.has(name)));

/** Consumer names of all targets that have a link, fed through the log (those of direct sends included) or past it. */
function consumers({ routes }: Plan, linked: Links, kind: 'targets' | 'unlogged'): ReadonlySet<string> {
  const own = routes[kind].filter(({ connection }) => linked.has(connection)).map(({ consumer }) => consumer);
  if (kind === 'unlogged') return new Set(own);
  const direct = [...linked.keys()].flatMap((name) => routes.target(`${DIRECT}/${name}`)?.consumer ?? []);
  return new Set([...own, ...direct]);
}

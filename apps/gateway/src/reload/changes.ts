import { isSameConnection, type Plan, type ReloadReport } from '@magpie/core';
import { type ConnectionInfo, DIRECT } from '@magpie/routing';

/**
 * What a change from one plan to another would do, for a dry run; says the same as the report of the change itself.
 * `builtins`: names of connections without a link of their own.
 */
export function plannedChanges(before: Plan, after: Plan, builtins: ReadonlySet<string>): ReloadReport {
  const [had, wanted] = [links(before, builtins), links(after, builtins)];
  const [hadTargets, wantedTargets] = [consumers(before, had), consumers(after, wanted)];
  const stays = [...had.keys()].filter((name) => wanted.has(name));
  const isUnchanged = (name: string): boolean => isSameConnection(had.get(name), wanted.get(name));
  const removed = [...hadTargets].filter((consumer) => !wantedTargets.has(consumer));
  return {
    connections: {
      added: [...wanted.keys()].filter((name) => !had.has(name)),
      removed: [...had.keys()].filter((name) => !wanted.has(name)),
      changed: stays.filter((name) => !isUnchanged(name)),
      unchanged: stays.filter(isUnchanged),
    },
    targets: {
      added: [...wantedTargets].filter((consumer) => !hadTargets.has(consumer)),
      removed,
      kept: hadTargets.size - removed.length,
    },
  };
}

type Links = ReadonlyMap<string, ConnectionInfo>;

const links = ({ connections }: Plan, builtins: ReadonlySet<string>): Links =>
  new Map([...connections].filter(([name]) => !builtins.has(name)));

/** Consumer names of all targets that have a link, those of direct sends included. */
function consumers({ routes }: Plan, linked: Links): ReadonlySet<string> {
  const own = routes.targets.filter(({ connection }) => linked.has(connection)).map(({ consumer }) => consumer);
  const direct = [...linked.keys()].flatMap((name) => routes.target(`${DIRECT}/${name}`)?.consumer ?? []);
  return new Set([...own, ...direct]);
}

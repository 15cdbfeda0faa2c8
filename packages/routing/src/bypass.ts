import type { SourceRequest } from '@magpie/contract';
import { startSteps } from './expression/budget.ts';
import { createMatcher, type Matcher } from './matcher.ts';
import type { Route } from './route/route.ts';
import type { RouteSet, Target } from './types.ts';

/** All targets of some routes, in the order of the file. */
export const targetsOf = (routes: readonly Route[]): readonly Target[] =>
  routes.flatMap((route) => route.targets.map(({ target }) => target));

/**
 * The part of a route set about sources that say `durability: none`. `logged` finds the other routes, `subscribed` holds
 * what connections receive beyond the routes: what those want goes through the log all the same.
 */
export function createBypass(
  routes: readonly Route[],
  logged: Matcher<Route>,
  subscribed: ReadonlyMap<string, readonly SourceRequest[]>,
): Pick<RouteSet, 'unlogged' | 'bypasses' | 'bypass'> {
  const passing = routes.filter(({ source }) => !source.logged);
  const connections = new Set(passing.map(({ source }) => source.connection.name));
  const unlogged = createMatcher(
    passing.map((route) => ({ connection: route.source.connection.name, pattern: route.source.pattern, value: route })),
  );
  const kept = createMatcher(
    [...subscribed].flatMap(([connection, requests]) =>
      requests.map(({ pattern }) => ({ connection, pattern, value: pattern })),
    ),
  );
  return {
    unlogged: targetsOf(passing),
    bypasses: (connection) => connections.has(connection),
    bypass: (event) => {
      startSteps();
      const found = unlogged.find(event);
      const alone = found.length > 0 && logged.find(event).length === 0 && kept.find(event).length === 0;
      return { matches: found.flatMap((route) => route.match(event)), logged: !alone };
    },
  };
}

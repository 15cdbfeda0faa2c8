import { type AddressBook, markOf, type SourceRequest } from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import { createBypass, targetsOf } from './bypass.ts';
import { checkAccess } from './check/access.ts';
import { explainRoute } from './check/explain.ts';
import { checkHolds } from './check/holds.ts';
import { checkAmplification, checkLoops } from './check/loops.ts';
import { compileTests, type RouteTest } from './check/route-tests.ts';
import { checkTogether } from './check/together.ts';
import { unsaidBy } from './check/unsaid.ts';
import { createDirectRoute } from './direct.ts';
import { startSteps } from './expression/budget.ts';
import { createMatcher, type Matcher } from './matcher.ts';
import { createReport, isRecord, type Report } from './report.ts';
import type { Remark } from './route/answers/answer.ts';
import type { ReadJsonFile } from './route/payload-schema.ts';
import { compileRoute, type Route, type RouteContext } from './route/route.ts';
import { ROUTE_NAME } from './route/schema.ts';
import { type Connections, compileRequest, mergeRequests } from './route/source.ts';
import { type Compiled, DIRECT, type RouteGuarantee, type RouteSet } from './types.ts';

/** Everything routes are compiled from. */
export interface CompileInput {
  /** The parsed value of `routes:`; undefined for none. */
  readonly routes: unknown;
  readonly connections: Connections;
  /** Joins `via` of everything sent; events that carry it are not routed again. */
  readonly gatewayId: string;
  readonly book: AddressBook;
  /** Largest body that a target may make, in bytes; default the largest that the gateway can carry. */
  readonly maxBodyBytes?: number;
  /** Reads the files that `payloadSchema` names. */
  readonly readJsonFile?: ReadJsonFile;
}

/**
 * Compiles all routes and checks them as a whole: identities, guarantees, access, loops. Never throws for what a user can
 * write; pointers begin with `/routes` and `/connections`. Called at start, on reload and by `magpie check`.
 */
export function compileRoutes({ routes: raw, ...input }: CompileInput): Compiled {
  const problems: Problem[] = [];
  const root = createReport(problems);
  const routes = compileAll(raw, input, root.at('routes'));
  const matcher = matcherOf(routes);
  for (const route of routes) checkAccess(route, root.at('routes', route.id));
  const loops = checkLoops(routes, matcher, problems);
  checkAmplification(routes, matcher, loops, problems);
  const tests = routes.flatMap((route) => {
    return compileTests(route, input.connections, input.book, root.at('routes', route.id));
  });
  const subscribed = withReplies(routes, compileSubscriptions(input.connections, root.at('connections')));
  checkHolds(routes, input.connections, subscribed, problems);
  checkTogether(routes, root.at('routes'));
  return { routes: createRouteSet(routes, subscribed, tests, input), problems };
}

const matcherOf = (routes: readonly Route[]): Matcher<Route> =>
  createMatcher(
    routes.map((route) => ({ connection: route.source.connection.name, pattern: route.source.pattern, value: route })),
  );

function compileAll(raw: unknown, context: RouteContext, report: Report): readonly Route[] {
  if (raw === undefined || raw === null) return [];
  if (!isRecord(raw)) {
    report.error('expected a mapping from route names to routes');
    return [];
  }
  return Object.entries(raw).flatMap(([id, value]) => {
    const place = report.at(id);
    if (!ROUTE_NAME.test(id)) {
      const hint = 'letters, digits, ".", "_" and "-", beginning with a letter or digit';
      place.error(`"${id}" cannot be the name of a route`, { hint, atKey: true });
      return [];
    }
    return compileRoute(id, value, context, place) ?? [];
  });
}

type Subscriptions = ReadonlyMap<string, readonly SourceRequest[]>;

/** What connections want to receive beyond the routes, from their own `subscribe`. */
function compileSubscriptions(connections: Connections, report: Report): Subscriptions {
  const all = [...connections.values()].map((connection) => {
    const requests = connection.subscribe.flatMap((entry, index) => {
      const place = report.at(connection.name, 'subscribe', index);
      if (isRecord(entry)) return compileRequest(connection, entry, place) ?? [];
      place.error('expected a mapping that names a place to receive from');
      return [];
    });
    return [connection.name, requests] as const;
  });
  return new Map(all);
}

/** Replies are received, and logged, like what connections ask for themselves. */
function withReplies(routes: readonly Route[], subscribed: Subscriptions): Subscriptions {
  const all = new Map(subscribed);
  for (const { reply } of routes) {
    if (reply === undefined) continue;
    const { name } = reply.connection;
    all.set(name, [...(all.get(name) ?? []), reply.request]);
  }
  return all;
}

const NOBODY: readonly string[] = [];

/** Finds the targets whose requests an event may be the reply to. */
const repliesTo = (routes: readonly Route[]): Matcher<readonly string[]> =>
  createMatcher(
    routes.flatMap(({ reply, targets }) => {
      if (reply === undefined) return [];
      const value = targets.flatMap(({ target }) => (target.reply === undefined ? [] : [target.consumer]));
      return [{ connection: reply.connection.name, pattern: reply.request.pattern, value }];
    }),
  );

/** Finds what is said to events that are not taken. */
const remarksOf = (routes: readonly Route[]): Matcher<Remark> =>
  createMatcher(
    routes.flatMap(({ source: { connection, pattern }, lateReport, otherwise }) =>
      [lateReport, otherwise]
        .filter((value) => value !== undefined)
        .map((value) => ({ connection: connection.name, pattern, value })),
    ),
  );

function createRouteSet(
  routes: readonly Route[],
  subscribed: Subscriptions,
  tests: readonly RouteTest[],
  { connections, gatewayId }: RouteContext,
): RouteSet {
  const direct = createDirectRoute(connections, gatewayId);
  const logged = routes.filter(({ source }) => source.logged);
  const matcher = matcherOf(logged);
  const replies = repliesTo(logged);
  const remarks = remarksOf(logged);
  const targets = targetsOf(logged);
  const byConsumer = new Map(targets.map((target) => [target.consumer, target]));
  return {
    targets,
    ...createBypass(routes, matcher, subscribed),
    match: (event) => {
      if (event.source === DIRECT) return direct.match(event);
      startSteps();
      const found = matcher.find(event);
      return found.length === 1 ? found[0]!.match(event) : found.flatMap((route) => route.match(event));
    },
    repliesFor: (event) => {
      const found = replies.find(event);
      const isReply = found.length > 0 && event.kind === 'message' && markOf(event.origin) === undefined;
      return isReply ? found.flat() : NOBODY;
    },
    remark: (event) => {
      const first = remarks.find(event).find((remark) => remark.concerns(event));
      const isTaken = (route: Route): boolean =>
        route.source.text !== undefined && route.admit(event).type !== 'no-match';
      return first === undefined || matcher.find(event).some(isTaken) ? undefined : first.answer(event);
    },
    target: (consumer) => byConsumer.get(consumer) ?? direct.target(consumer),
    sources: (name) => {
      const connection = connections.get(name);
      if (connection === undefined) return [];
      const own = routes.filter(({ source }) => source.connection === connection);
      return mergeRequests(connection, [...own.map(({ request }) => request), ...(subscribed.get(name) ?? [])]);
    },
    direct: direct.parse,
    explain: (event) => routes.map((route) => explainRoute(route, event)),
    test: () => tests.map((test) => test.run()),
    guarantees: () => routes.flatMap(guaranteesOf),
  };
}

function guaranteesOf(route: Route): readonly RouteGuarantee[] {
  const unsaid = unsaidBy(route);
  return route.targets.map(({ target: { route: id, consumer, guarantee } }, index) => ({
    route: id,
    consumer,
    guarantee,
    unsaid: unsaid[index] ?? [],
  }));
}

import type { SourceRequest } from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import { createReport } from '../report.ts';
import type { Route } from '../route/route.ts';
import { type Connections, mergeRequests, placeOf } from '../route/source.ts';
import type { CompiledTarget } from '../route/target.ts';
import type { ConnectionInfo } from '../types.ts';

/** What is held together: a connection with everything it receives, or one place of it. */
interface Held {
  readonly connection: ConnectionInfo;
  readonly place: string | undefined;
  readonly routes: readonly Route[];
  readonly requests: readonly SourceRequest[];
}

/**
 * Warns where a full target holds back more than its own route takes: everything else that the connection receives waits with
 * it, or everything from the same place where places are held one by one. One warning for what is held together, at the first
 * target that can do so. Called once per configuration.
 */
export function checkHolds(
  routes: readonly Route[],
  connections: Connections,
  subscribed: ReadonlyMap<string, readonly SourceRequest[]>,
  problems: Problem[],
): void {
  const logged = Map.groupBy(
    routes.filter(({ source }) => source.logged),
    ({ source }) => source.connection.name,
  );
  for (const [name, own] of logged) {
    const connection = connections.get(name);
    if (connection === undefined || connection.adapter.capabilities(connection.config).holdsPerMessage) continue;
    for (const held of heldTogether(connection, own, subscribed.get(name) ?? [])) {
      if (held.requests.length < 2) continue;
      const sources = mergeRequests(connection, held.requests).length;
      const blocking = held.routes.flatMap((route) => route.targets.filter((target) => holdsSource(route, target)));
      const [first] = blocking;
      if (sources > 1 && first !== undefined) warn(problems, first, blocking.length, held, sources);
    }
  }
}

function heldTogether(
  connection: ConnectionInfo,
  routes: readonly Route[],
  subscribed: readonly SourceRequest[],
): readonly Held[] {
  const placeFor = (request: SourceRequest): string | undefined => placeOf({ connection, request });
  const places = Map.groupBy(routes, ({ source }) => placeFor(source.request));
  const more = Map.groupBy(subscribed, placeFor);
  return [...places].map(([place, own]) => {
    const others = more.get(place) ?? [];
    return { connection, place, routes: own, requests: [...own.map(({ source }) => source.request), ...others] };
  });
}

/** Whether a target holds its source while it is full; a link that confirms on the stream it would hold never does. */
function holdsSource({ source }: Route, { target, connection }: CompiledTarget): boolean {
  if (target.backlog.onFull !== 'block') return false;
  return source.connection !== connection || connection.adapter.capabilities(connection.config).sendsWhileHeld;
}

function warn(
  problems: Problem[],
  { pointer, target }: CompiledTarget,
  blocking: number,
  { connection: { name }, place }: Held,
  sources: number,
): void {
  const more = blocking === 1 ? '' : `, or of ${blocking - 1} more that hold it,`;
  const what =
    place === undefined
      ? `"${name}" receives nothing from any of its ${sources} places`
      : `"${name}" receives nothing from "${place}", which feeds ${sources} sources`;
  const hint =
    'where one target must not hold the others: "backlog: { onFull: dead-letter }", or ' +
    (place === undefined ? 'a connection of its own' : 'a place of its own');
  createReport(problems, pointer).warn(`while the backlog of "${target.consumer}"${more} is full, ${what}`, { hint });
}

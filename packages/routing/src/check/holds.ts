import type { SourceRequest } from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import { createReport } from '../report.ts';
import type { Route } from '../route/route.ts';
import { type Connections, mergeRequests } from '../route/source.ts';
import type { CompiledTarget } from '../route/target.ts';

/**
 * Warns where a full target holds back more than its own route takes: everything else that the connection receives waits with
 * it. One warning per connection, at the first target that can do so. Called once per configuration.
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
    if (connection === undefined || connection.adapter.capabilities(connection.config).holdsPerPlace === true) continue;
    const requests = [...own.map(({ source }) => source.request), ...(subscribed.get(name) ?? [])];
    const places = mergeRequests(connection, requests);
    if (places.length < 2) continue;
    const blocking = own.flatMap((route) => route.targets.filter((target) => holdsSource(route, target)));
    const [first] = blocking;
    if (first !== undefined) warn(problems, first, blocking.length, name, places.length);
  }
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
  connection: string,
  places: number,
): void {
  const more = blocking === 1 ? '' : `, or of ${blocking - 1} more that hold it,`;
  const message = `while the backlog of "${target.consumer}"${more} is full, "${connection}" receives nothing from any of its ${places} places`;
  const hint =
    'where one target must not hold the others: "backlog: { onFull: dead-letter }", or a connection of its own';
  createReport(problems, pointer).warn(message, { hint });
}

import type { Report } from '../report.ts';
import type { Route } from '../route/route.ts';

/**
 * Warns where anyone who can write to the source's system reaches another system through the route, unless nobody could be named there:
 * then `allow` is an error.
 */
export function checkAccess(route: Route, report: Report): void {
  const { connection, request } = route.source;
  const { scheme } = request.pattern;
  if (connection.adapter.access?.anonymous?.includes(scheme)) {
    if (route.keys.allow === undefined) return;
    const hint = `who may send there is decided at "${connection.name}" itself`;
    report.at('allow').error(`"allow" would let nothing pass: a ${scheme} does not say who has sent`, { hint });
    return;
  }
  if (route.keys.allow !== undefined || connection.adapter.access?.open !== true) return;
  const reached = new Set(
    route.targets.map(({ target }) => target.connection).filter((name) => name !== connection.name),
  );
  if (reached.size === 0) return;
  const message = `whoever can write to "${connection.name}" can send to ${[...reached].join(', ')} through this route`;
  report.at('from').warn(message, { hint: 'say who may with "allow"' });
}

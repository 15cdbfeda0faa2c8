import type { Report } from '../report.ts';
import type { Route } from '../route/route.ts';

/** Reports sources that a connection cannot have beside its others, or with what their routes say. Once per configuration. */
export function checkTogether(routes: readonly Route[], report: Report): void {
  for (const [{ adapter, config }, own] of Map.groupBy(routes, ({ source }) => source.connection)) {
    const objections = adapter.objections?.together?.(
      config,
      own.map(({ request }) => request),
    );
    for (const [index, objection] of objections?.entries() ?? [])
      if (objection !== undefined) report.at(own[index]!.id, 'from').error(objection);
  }
}

import type { Report } from '../report.ts';
import { compileChangeFilter } from './change-filter.ts';
import { compileQuietHours } from './quiet-hours.ts';
import type { PacingKeys, RateKeys } from './schema.ts';
import { compileSummary, type PacingContext } from './summary.ts';
import type { Pacing, RateLimit } from './types.ts';

/**
 * Compiles what a target does not get, or later; undefined after reporting. What `keys` do not say is as in `inherited`, the
 * pacing of the route.
 */
export function compilePacing(
  keys: PacingKeys,
  inherited: Pacing,
  context: PacingContext,
  report: Report,
): Pacing | undefined {
  const rate = ownOr(keys.rate, inherited.rate, (own) => compileRate(own, context, report.at('rate')));
  const change = ownOr(keys.onlyOnChange === false ? null : keys.onlyOnChange, inherited.change, (own) =>
    compileChangeFilter(own, context, report.at('onlyOnChange')),
  );
  const quiet = ownOr(keys.quiet, inherited.quiet, (own) => compileQuietHours(own, context, report.at('quiet')));
  if (rate === undefined || change === undefined || quiet === undefined) return undefined;
  return {
    ...(rate === null ? {} : { rate }),
    ...(change === null ? {} : { change }),
    ...(quiet === null ? {} : { quiet }),
  };
}

/** What a key says: compiled; null for nothing, also when it is null itself. */
function ownOr<Keys, Compiled>(
  own: Keys | null | undefined,
  inherited: Compiled | undefined,
  compile: (keys: Keys) => Compiled | undefined,
): Compiled | null | undefined {
  if (own === undefined) return inherited ?? null;
  return own === null ? null : compile(own);
}

function compileRate({ max, per, summary }: RateKeys, context: PacingContext, report: Report): RateLimit | undefined {
  if (summary === undefined) return { max, per };
  const compiled = compileSummary(summary, context, report.at('summary'));
  return compiled && { max, per, summary: compiled };
}

import type { ConfigProblem } from '@magpie/api';
import type { ReloadReport } from '@magpie/core';

/** What a reload changed, as one line for the log. */
export function describeReport(
  { connections, targets }: ReloadReport,
  revision: number,
  restartNeeded: readonly string[],
): string {
  const parts = [
    listed('added connections', connections.added),
    listed('changed connections', connections.changed),
    listed('removed connections', connections.removed),
    listed('added targets', targets.added),
    listed('removed targets', targets.removed),
    `${connections.unchanged.length} connections and ${targets.kept} targets are unchanged`,
    listed('need a restart', restartNeeded),
  ];
  return `configuration revision ${revision} is in force: ${parts.filter((part) => part !== '').join('; ')}`;
}

const listed = (what: string, names: readonly string[]): string =>
  names.length === 0 ? '' : `${what}: ${names.join(', ')}`;

/** A mistake with its place, as `file:line:column: …`. */
const describeProblem = ({ file, line, column, message, hint }: ConfigProblem): string =>
  `${file}:${line}:${column}: ${message}${hint === undefined ? '' : ` (${hint})`}`;

/** Why a configuration was refused, as one line. */
export function describeRefusal(problems: readonly ConfigProblem[], revision: number): string {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const more = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  const first = errors[0] ? describeProblem(errors[0]) : 'it cannot be used';
  return `the configuration was not reloaded, revision ${revision} is still in force: ${first}${more}`;
}

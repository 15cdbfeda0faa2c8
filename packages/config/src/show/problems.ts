import { type Problem, visible, visibleLines } from '@magpie/schema-messages';
import type { ConfigSource, Location } from '../document/source.ts';

/** A located problem in the stable JSON form of `magpie check --json`. */
export interface ProblemJson {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
}

/** Problems in file order, each with its place. */
export function problemsToJson(problems: readonly Problem[], source: ConfigSource): readonly ProblemJson[] {
  const located = problems.map(({ severity, pointer, message, hint, ...rest }): ProblemJson => {
    const where = source.locate({ severity, pointer, message, ...rest });
    return { severity, ...where, pointer, message, ...(hint === undefined ? {} : { hint }) };
  });
  return located.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/**
 * Problems as text for people: `file:line:column: error: message`, the line of the file with a caret under the place, and
 * what to do. Values of secret keys and passwords in URLs are masked in the shown line.
 */
export const renderProblems = (problems: readonly Problem[], source: ConfigSource): string =>
  problemsToJson(problems, source)
    .map((problem) => renderProblem(problem, source))
    .join('\n');

function renderProblem(problem: ProblemJson, source: ConfigSource): string {
  const { file, line, column, severity, message, hint } = problem;
  const place = `${visible(file)}:${line}:${column}`;
  const lines = [`${place}: ${severity}: ${visible(message)}`, ...codeFrame(problem, source)];
  if (hint !== undefined) lines.push(`  hint: ${visible(hint)}`);
  return `${lines.join('\n')}\n`;
}

const SHOWN_LINE = 160;

function codeFrame(where: Location, source: ConfigSource): readonly string[] {
  const raw = source.masked.split('\n')[where.line - 1]?.replace(/\r$/, '');
  if (raw === undefined || raw.trim() === '') return [];
  const from = Math.max(0, where.column - SHOWN_LINE / 2);
  const shown = raw.slice(from, from + SHOWN_LINE);
  const column = where.column - 1 - from;
  const end = where.endLine === where.line ? where.endColumn - 1 - from : shown.trimEnd().length;
  const until = column + Math.max(1, Math.min(end, shown.length) - column);
  // Escapes are longer than the characters they show: carets are counted on the escaped text.
  const [before, marked] = [visibleLines(shown.slice(0, column)), visibleLines(shown.slice(column, until))];
  const gutter = `${where.line}`;
  return [
    `  ${gutter} | ${before}${marked}${visibleLines(shown.slice(until))}`,
    `  ${' '.repeat(gutter.length)} | ${before.replace(/[^\t]/g, ' ')}${'^'.repeat(Math.max(1, marked.length))}`,
  ];
}

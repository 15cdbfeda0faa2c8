import type { Problem } from '@magpie/schema-messages';
import { isScalar, type LineCounter, type Scalar } from 'yaml';
import { sourceOffsets } from './source-offsets.ts';
import type { Place } from './tree.ts';
import type { TextProblem } from './yaml.ts';

/** A place in a file. Lines and columns count from 1, columns in UTF-16 units; the end is exclusive. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** The text of a configuration file, which locates problems. */
export interface ConfigSource {
  readonly file: string;
  readonly text: string;
  /** The same text with secrets as `*`, for showing lines of it. Computed at first use. */
  readonly masked: string;
  /**
   * Line and column of a problem: of the value at its pointer, the key with `atKey`, or the characters of `range`. A
   * pointer to a missing key is located at the nearest mapping around it.
   */
  locate(problem: Problem): Location;
}

/**
 * Makes the source of a parsed file. `places` is empty when the file could not be parsed; `mask` returns the text to
 * show.
 */
export function createSource(
  file: string,
  text: string,
  lines: LineCounter,
  places: ReadonlyMap<string, Place>,
  mask: () => string,
): ConfigSource {
  const at = (offset: number): { line: number; col: number } => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(line, 1), col: Math.max(col, 1) };
  };
  let masked: string | undefined;
  return {
    file,
    text,
    get masked() {
      masked ??= mask();
      return masked;
    },
    locate: (problem) => {
      const [start, end] = span(problem, text, places);
      const [from, to] = [at(start), at(Math.max(end, start + 1))];
      return { file, line: from.line, column: from.col, endLine: to.line, endColumn: to.col };
    },
  };
}

type Span = readonly [start: number, end: number];

const isTextProblem = (problem: Problem): problem is TextProblem => 'at' in problem;

function span(problem: Problem, text: string, places: ReadonlyMap<string, Place>): Span {
  if (isTextProblem(problem)) return [problem.at.start, problem.at.end];
  const place = places.get(problem.pointer);
  if (!place) return nearestSpan(problem.pointer, places);
  if (problem.atKey && place.key) return rangeOf(place.key.range);
  if (problem.range && isScalar(place.node)) return innerSpan(place.node, problem.range, text);
  const [start, end] = rangeOf(place.node?.range);
  return place.node && (end > start || !place.key) ? [start, end] : rangeOf(place.key?.range);
}

function innerSpan(scalar: Scalar, range: { readonly start: number; readonly end: number }, text: string): Span {
  if (typeof scalar.value !== 'string') return rangeOf(scalar.range);
  const offset = sourceOffsets(text, scalar, scalar.value);
  return [offset(range.start), offset(range.end - 1) + 1];
}

/** The key of the nearest existing ancestor: where a missing key belongs. */
function nearestSpan(pointer: string, places: ReadonlyMap<string, Place>): Span {
  const parent = pointer.slice(0, Math.max(pointer.lastIndexOf('/'), 0));
  const place = places.get(parent);
  if (place) return rangeOf(place.key?.range ?? place.node?.range);
  return parent === '' ? [0, 1] : nearestSpan(parent, places);
}

const rangeOf = (range: readonly number[] | null | undefined): Span => [range?.[0] ?? 0, range?.[1] ?? 1];

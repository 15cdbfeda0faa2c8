import type { Scalar } from 'yaml';

/**
 * Maps offsets inside the value of a YAML scalar to offsets in the file, so that a caret can point into an expression
 * however it was quoted or folded. Literal characters are followed one by one; an escape or a folded line break counts
 * as one character of the value.
 */
export function sourceOffsets(source: string, scalar: Scalar, value: string): (offset: number) => number {
  const [start, end] = scalar.range ?? [0, 0];
  const offsets = followValue(
    source.slice(0, end),
    value,
    firstCharacter(source, scalar, start, end),
    advanceBy(scalar),
  );
  return (offset) => offsets[Math.min(Math.max(offset, 0), value.length)] ?? start;
}

function firstCharacter(source: string, scalar: Scalar, start: number, end: number): number {
  if (scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE') return start + 1;
  if (scalar.type !== 'BLOCK_LITERAL' && scalar.type !== 'BLOCK_FOLDED') return start;
  const header = source.indexOf('\n', start);
  return header < 0 ? end : skipSpace(source, header + 1, end);
}

/** The file offset after the text at `cursor` that stands for one character of the value. */
type Advance = (source: string, cursor: number, char: string) => number;

function followValue(source: string, value: string, from: number, advance: Advance): number[] {
  const offsets: number[] = [];
  let cursor = from;
  for (const char of value.split('')) {
    offsets.push(cursor);
    cursor = advance(source, cursor, char);
  }
  offsets.push(cursor);
  return offsets;
}

function advanceBy({ type }: Scalar): Advance {
  if (type === 'QUOTE_DOUBLE')
    return (source, cursor, char) =>
      source[cursor] === '\\' ? afterEscape(source, cursor) : afterPlain(source, cursor, char);
  if (type !== 'QUOTE_SINGLE') return afterPlain;
  return (source, cursor, char) => (char === "'" ? cursor + 2 : afterPlain(source, cursor, char));
}

/** A line break in the file, with the indentation after it, is one space or line break of the value. */
function afterPlain(source: string, cursor: number, char: string): number {
  if (char === '\n' || (char === ' ' && source[cursor] !== ' ')) return skipSpace(source, cursor, source.length);
  return Math.min(cursor + 1, source.length);
}

const ESCAPE_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

function afterEscape(source: string, cursor: number): number {
  const next = source[cursor + 1] ?? '';
  if (next === '\n') return skipSpace(source, cursor + 1, source.length) + 1;
  return cursor + 2 + (ESCAPE_DIGITS[next] ?? 0);
}

function skipSpace(source: string, from: number, end: number): number {
  let cursor = from;
  while (cursor < end && /\s/.test(source[cursor] ?? '')) cursor += 1;
  return cursor;
}

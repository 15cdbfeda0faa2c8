import type { Scalar } from 'yaml';

/**
 * Maps offsets inside the value of a YAML scalar to offsets in the file, so that a caret can point into an expression
 * whatever quoting or folding it was written with. Characters that stand for themselves are followed one by one; an
 * escape or a folded line break counts as one character of the value.
 */
export function sourceOffsets(source: string, scalar: Scalar, value: string): (offset: number) => number {
  const [start, end] = scalar.range ?? [0, 0];
  const cursor = firstCharacter(source, scalar, start, end);
  const offsets = followValue(source.slice(0, end), value, cursor);
  return (offset) => offsets[Math.min(Math.max(offset, 0), value.length)] ?? start;
}

function firstCharacter(source: string, scalar: Scalar, start: number, end: number): number {
  if (scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE') return start + 1;
  if (scalar.type !== 'BLOCK_LITERAL' && scalar.type !== 'BLOCK_FOLDED') return start;
  const header = source.indexOf('\n', start);
  return header < 0 ? end : skipSpace(source, header + 1, end);
}

function followValue(source: string, value: string, from: number): number[] {
  const offsets: number[] = [];
  let cursor = from;
  for (const char of value.split('')) {
    offsets.push(cursor);
    cursor = afterCharacter(source, cursor, char);
  }
  offsets.push(cursor);
  return offsets;
}

/** The offset after what the file has at `cursor` for one character of the value. */
function afterCharacter(source: string, cursor: number, char: string): number {
  const found = source[cursor];
  if (char === '\n' || (char === ' ' && found !== ' ')) return skipSpace(source, cursor, source.length);
  if (found === char) return cursor + (char === "'" && source[cursor + 1] === "'" ? 2 : 1);
  if (found === '\\') return afterEscape(source, cursor);
  return found === undefined ? cursor : cursor + 1;
}

const ESCAPE_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

const afterEscape = (source: string, cursor: number): number =>
  cursor + 2 + (ESCAPE_DIGITS[source[cursor + 1] ?? ''] ?? 0);

function skipSpace(source: string, from: number, end: number): number {
  let cursor = from;
  while (cursor < end && /\s/.test(source[cursor] ?? '')) cursor += 1;
  return cursor;
}

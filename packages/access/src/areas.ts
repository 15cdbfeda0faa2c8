import type { AddressPattern, PatternSegment } from '@magpie/contract';

/** A set of places: all of them, those of a connection, or those at addresses. */
export interface Area {
  /** Name of a connection; undefined: every one. */
  readonly connection: string | undefined;
  /** Undefined: every address. */
  readonly pattern: AddressPattern | undefined;
}

/** Whether every place of `inner` is one of `outer`. Linear in the length of the patterns. */
export function covers(outer: Area, inner: Area): boolean {
  if (outer.connection !== undefined && outer.connection !== inner.connection) return false;
  if (outer.pattern === undefined) return true;
  if (inner.pattern === undefined || inner.pattern.scheme !== outer.pattern.scheme) return false;
  return coversSegments(outer.pattern.segments, inner.pattern.segments);
}

/** Whether a place is in both. Linear in the length of the patterns. */
export function overlaps(a: Area, b: Area): boolean {
  if (a.connection !== undefined && b.connection !== undefined && a.connection !== b.connection) return false;
  if (a.pattern === undefined || b.pattern === undefined) return true;
  return a.pattern.scheme === b.pattern.scheme && overlapSegments(a.pattern.segments, b.pattern.segments);
}

/** An area of one address. */
export const placeAt = (
  connection: string,
  { scheme, segments }: { scheme: string; segments: readonly string[] },
): Area => ({
  connection,
  pattern: { scheme, segments: segments.map((value) => ({ type: 'literal', value })) },
});

function coversSegments(outer: readonly PatternSegment[], inner: readonly PatternSegment[]): boolean {
  for (let index = 0; ; index++) {
    const [a, b] = [outer[index], inner[index]];
    if (a?.type === 'many') return true;
    if (b?.type === 'many') return false;
    if (a === undefined || b === undefined) return a === b;
    if (a.type === 'literal' && !(b.type === 'literal' && a.value === b.value)) return false;
  }
}

function overlapSegments(left: readonly PatternSegment[], right: readonly PatternSegment[]): boolean {
  for (let index = 0; ; index++) {
    const [a, b] = [left[index], right[index]];
    if (a?.type === 'many' || b?.type === 'many') return true;
    if (a === undefined || b === undefined) return a === b;
    if (a.type === 'literal' && b.type === 'literal' && a.value !== b.value) return false;
  }
}

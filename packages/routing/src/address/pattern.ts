import type { Address, AddressPattern, AddressScheme, PatternSegment } from '@magpie/contract';
import type { Report } from '../report.ts';
import type { NamedPlace } from './words.ts';

/**
 * Compiles native words to a pattern: native wildcards, `{name}` for one segment, `{name*}` for the tail. Undefined after
 * reporting what is wrong, at the word where it stands.
 */
export function compilePattern({ scheme, words }: NamedPlace, report: Report): AddressPattern | undefined {
  const raw = scheme.splitPattern(words);
  const place = (segment: string): Report =>
    report.at(scheme.words.find((word) => words[word]?.includes(segment)) ?? scheme.words[0]!);
  const segments = raw.map((segment) => compileSegment(segment, scheme, place(segment)));
  const whole = segments.filter((segment) => segment !== undefined);
  if (whole.length < segments.length) return undefined;
  const early = whole.findIndex((segment, index) => segment.type === 'many' && index < whole.length - 1);
  if (early < 0) return { scheme: scheme.scheme, segments: whole };
  const hint = 'use a wildcard for one segment here, or end the pattern with it';
  return void place(raw[early]!).error(`"${raw[early]}" stands for the whole rest and must come last`, { hint });
}

function compileSegment(segment: string, scheme: AddressScheme, report: Report): PatternSegment | undefined {
  const capture = /^\{([^{}*]+)(\*?)\}$/.exec(segment);
  if (capture !== null) return { type: capture[2] === '*' ? 'many' : 'one', name: capture[1]! };
  if (segment.includes('{') || segment.includes('}')) {
    const message = `"${segment}": a capture must be a whole segment`;
    const hint = 'capture the whole segment as {name} and take it apart with "let" or "when"';
    return void report.error(message, { hint });
  }
  const wildcard = scheme.wildcard(segment);
  return wildcard === undefined ? { type: 'literal', value: segment } : { type: wildcard };
}

/** Names captured by a pattern, with their types. A name used twice is listed twice. */
export const capturesOf = (pattern: AddressPattern): readonly (readonly [string, 'string' | 'list<string>'])[] =>
  pattern.segments.flatMap((segment) => {
    if (segment.type === 'literal' || segment.name === undefined) return [];
    return [[segment.name, segment.type === 'one' ? 'string' : 'list<string>'] as const];
  });

/** Sets the captures of an address that is known to lie inside the pattern. */
export function capture(pattern: AddressPattern, address: Address, into: Record<string, unknown>): void {
  for (const [index, segment] of pattern.segments.entries()) {
    if (segment.type === 'literal' || segment.name === undefined) continue;
    into[segment.name] = segment.type === 'one' ? address.segments[index] : address.segments.slice(index);
  }
}

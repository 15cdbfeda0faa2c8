import type { AddressScheme, AddressWords, AnyAdapter } from '@magpie/contract';
import type { Report } from '../report.ts';

/** The native words of an address as written, and the scheme they belong to. */
export interface NamedPlace {
  readonly scheme: AddressScheme;
  readonly words: AddressWords;
}

/** All native words of an adapter. */
export const wordsOf = (adapter: AnyAdapter): readonly string[] => adapter.addresses.flatMap(({ words }) => words);

/**
 * Finds which of the adapter's schemes is meant by the words present: exactly one scheme's first word must be there, and
 * no word of another scheme. A scheme whose words include all of another's is meant where both could be. Undefined after
 * reporting.
 */
export function findPlace(
  adapter: AnyAdapter,
  given: Readonly<Record<string, unknown>>,
  report: Report,
): NamedPlace | undefined {
  const named = adapter.addresses.filter(({ words }) => words[0] !== undefined && given[words[0]] !== undefined);
  const present = named.filter((scheme) => !named.some((other) => other !== scheme && includesAll(other, scheme)));
  const [scheme] = present;
  if (scheme === undefined) {
    const first = adapter.addresses.map(({ words }) => `"${words[0]}"`).join(' or ');
    return void report.error(`expected ${first} to say which place is meant`);
  }
  if (present.length > 1) {
    const all = present.map(({ words }) => `"${words[0]}"`).join(' and ');
    return void report.error(`${all} cannot be used together: each names a place of its own`);
  }
  return collect(adapter, scheme, given, report);
}

const includesAll = (scheme: AddressScheme, other: AddressScheme): boolean =>
  other.words.every((word) => scheme.words.includes(word));

function collect(
  adapter: AnyAdapter,
  scheme: AddressScheme,
  given: Readonly<Record<string, unknown>>,
  report: Report,
): NamedPlace | undefined {
  const foreign = wordsOf(adapter).find((word) => given[word] !== undefined && !scheme.words.includes(word));
  if (foreign !== undefined) {
    return void report.at(foreign).error(`"${foreign}" does not go with "${scheme.words[0]}"`, { atKey: true });
  }
  const words: Record<string, string> = {};
  for (const word of scheme.words) {
    const value = given[word];
    if (value === undefined) continue;
    if (typeof value !== 'string') {
      return void report.at(word).error(`expected text, got ${JSON.stringify(value)}`, { hint: 'put it in quotes' });
    }
    words[word] = value;
  }
  return { scheme, words };
}

import type {
  AdapterDefinition,
  Address,
  AddressPattern,
  AddressScheme,
  AddressWords,
  PatternSegment,
  SourceRequest,
  TargetRequest,
} from '@magpie/contract';
import type { Keys } from './fixture.ts';

type AnyDefinition = AdapterDefinition<unknown, unknown, unknown>;

/** A source as routing would ask for it: parsed options and the pattern of its native words. */
export function sourceRequest(definition: AnyDefinition, keys: Keys): SourceRequest {
  const scheme = schemeOf(definition, keys);
  return { pattern: patternOf(scheme, wordsOf(scheme, keys)), options: definition.sourceSchema.parse(keys) };
}

/** A target as a lane would name it: parsed options and the concrete address of its native words. */
export function targetRequest(definition: AnyDefinition, keys: Keys): TargetRequest {
  return { address: addressOf(definition, keys), options: definition.targetSchema.parse(keys) };
}

/** The address that native words among the keys mean. Throws when the adapter's own `check` refuses it. */
export function addressOf(definition: AnyDefinition, keys: Keys): Address {
  const scheme = schemeOf(definition, keys);
  const segments = scheme.split(wordsOf(scheme, keys));
  const wrong = scheme.check(segments);
  if (wrong !== undefined) throw new Error(`the fixture's ${JSON.stringify(keys)} is refused: ${wrong}`);
  return { scheme: scheme.scheme, segments };
}

/** The scheme whose first native word is among the keys. */
export function schemeOf(definition: AnyDefinition, keys: Keys): AddressScheme {
  const found = definition.addresses.find(({ words }) => words[0] !== undefined && words[0] in keys);
  if (found) return found;
  const expected = definition.addresses.map(({ words }) => words[0]).join(', ');
  throw new Error(`expected one of ${expected} in ${JSON.stringify(keys)}`);
}

function patternOf(scheme: AddressScheme, words: AddressWords): AddressPattern {
  const segments = scheme.splitPattern(words).map((value): PatternSegment => {
    const wildcard = scheme.wildcard(value);
    return wildcard ? { type: wildcard } : { type: 'literal', value };
  });
  return { scheme: scheme.scheme, segments };
}

function wordsOf(scheme: AddressScheme, keys: Keys): AddressWords {
  const words = scheme.words.flatMap((word) => {
    const value = keys[word];
    return typeof value === 'string' ? [[word, value] as const] : [];
  });
  return Object.fromEntries(words);
}

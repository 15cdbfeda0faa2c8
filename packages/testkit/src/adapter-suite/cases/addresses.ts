import { type AddressScheme, createAddressBook } from '@magpie/contract';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { AnySuite } from '../bench.ts';
import { keysOf, undocumented } from '../schemas.ts';
import { TLS_KEYS, tlsCases } from './tls.ts';

/** One case about the definition alone: no broker, no connection. */
export interface DefinitionCase {
  readonly title: string;
  check(suite: AnySuite): void;
}

/** What can be judged of an adapter without running it. */
export const definitionCases = {
  'schemas-documented': {
    title: 'describes every key of its schemas, and refuses unknown ones',
    check({ definition }) {
      const { connectionSchema, sourceSchema, targetSchema, originSchema } = definition;
      const schemas = { connectionSchema, sourceSchema, targetSchema, originSchema };
      expect(Object.entries(schemas).flatMap(([name, schema]) => undocumented(name, schema))).toEqual([]);
      for (const schema of [connectionSchema, sourceSchema, targetSchema]) {
        expect(JSON.stringify(schema.safeParse({ 'no-such-key': 1 }).error?.issues)).toContain('no-such-key');
      }
    },
  },
  'tls-keys': {
    title: 'has the keys of TLS that every protocol has, and then passes their cases',
    check({ definition, unsupported = {} }) {
      const keys = keysOf(definition.connectionSchema, 'tls');
      if (keys === undefined) return;
      expect(keys).toEqual(expect.arrayContaining([...TLS_KEYS]));
      expect(Object.keys(tlsCases).filter((name) => name in unsupported)).toEqual([]);
    },
  },
  'address-examples': {
    title: 'has address examples for every scheme, which survive the text form',
    check({ definition, addresses }) {
      const book = createAddressBook([definition]);
      const parsed = addresses.map((text) => book.parse(text));
      expect(parsed.map((address) => book.format(address))).toEqual(addresses);
      for (const { scheme, segments } of parsed) expect(book.scheme(scheme)?.check(segments)).toBeUndefined();
      const schemes = definition.addresses.map(({ scheme }: AddressScheme) => scheme);
      expect(new Set(parsed.map(({ scheme }) => scheme))).toEqual(new Set(schemes));
    },
  },
  'address-round-trip': {
    title: 'every address it accepts survives words and text form',
    check(suite) {
      forEachExample(suite, (scheme, example) => {
        const property = fc.property(segmentsLike(example), (segments) => {
          if (scheme.check(segments) !== undefined) return;
          expect(scheme.parse(scheme.format(segments))).toEqual(segments);
          expect(scheme.split(scheme.join(segments))).toEqual(segments);
        });
        fc.assert(property, { numRuns: 300, examples: [[[...example]]] });
      });
    },
  },
  'address-words': {
    title: 'writes addresses in its native words only, the first one always',
    check(suite) {
      forEachExample(suite, (scheme, example) => {
        const words = scheme.join(example);
        expect(Object.keys(words)).toContain(scheme.words[0]);
        expect(scheme.words).toEqual(expect.arrayContaining(Object.keys(words)));
        expect(scheme.splitPattern(words)).toEqual([...example]);
      });
    },
  },
  'address-encoding': {
    title: 'an encoded value never adds segments, wildcards or other places, whatever it holds',
    check(suite) {
      forEachExample(suite, (scheme, example) => {
        const property = fc.property(hostileText, fc.nat({ max: example.length - 1 }), (value, at) => {
          const encoded = scheme.encode(value);
          const segments = example.with(at, encoded);
          expect(scheme.wildcard(encoded)).toBeUndefined();
          if (scheme.check(segments) !== undefined) return;
          expect(scheme.split(scheme.join(segments))).toEqual(segments);
          expect(scheme.parse(scheme.format(segments))).toEqual(segments);
        });
        fc.assert(property, { numRuns: 500 });
      });
    },
  },
  'address-encoding-plain': {
    title: 'encoding leaves plain words as they are',
    check({ definition }) {
      for (const scheme of definition.addresses) expect(scheme.encode('pump7')).toBe('pump7');
    },
  },
  'address-checks': {
    title: 'refuses an empty address, NUL, and wildcards to send to, each with a sentence',
    check(suite) {
      forEachExample(suite, (scheme, example) => {
        expect(scheme.check([])).toMatch(/\w/);
        const last = example.length - 1;
        expect(scheme.check(example.with(last, 'a\0b'))).toMatch(/\w/);
        for (const wildcard of wildcardsOf(scheme)) expect(scheme.check(example.with(last, wildcard))).toMatch(/\w/);
      });
    },
  },
  access: {
    title: 'judges who may use a route by its access rules, and says what is wrong with an entry',
    check({ definition: { access: rules }, access: examples }) {
      if (!rules && !examples) return;
      if (!rules || !examples) throw new Error('access rules and `access` examples of the suite belong together');
      for (const entry of examples.valid) expect(rules.validate(entry), entry).toBeUndefined();
      for (const entry of examples.invalid) expect(rules.validate(entry), entry).toMatch(/\w+ \w+/);
      for (const { entry, origin, permits } of examples.decisions) {
        expect(rules.validate(entry), entry).toBeUndefined();
        expect(rules.permits(entry, origin), `${entry} for ${JSON.stringify(origin)}`).toBe(permits);
      }
      for (const entry of examples.valid) expect(rules.permits(entry, {}), `${entry} for nobody`).toBeTypeOf('boolean');
    },
  },
} as const satisfies Readonly<Record<string, DefinitionCase>>;

const SPECIAL = [
  '/',
  '.',
  '+',
  '#',
  '*',
  '$',
  '@',
  '%',
  '%2F',
  ':',
  '\\',
  ' ',
  '\0',
  '&',
  '<',
  '😀',
  '\ud800',
  '..',
  '//',
];

/** Texts with many characters that mean something in some protocol. */
const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...SPECIAL), fc.string({ maxLength: 4, unit: 'binary' })), { maxLength: 6 })
  .map((parts) => parts.join(''));

/** Lists of segments: anything at all, or the example with one segment replaced. */
const segmentsLike = (example: readonly string[]): fc.Arbitrary<string[]> =>
  fc.oneof(
    fc.array(hostileText, { maxLength: 6 }),
    fc.tuple(hostileText, fc.nat({ max: example.length - 1 })).map(([value, at]) => example.with(at, value)),
    fc.array(fc.stringMatching(/^[a-z0-9-]{1,8}$/), { minLength: 1, maxLength: 6 }),
  );

function forEachExample(
  { definition, addresses }: AnySuite,
  judge: (scheme: AddressScheme, example: readonly string[]) => void,
): void {
  const book = createAddressBook([definition]);
  for (const text of addresses) {
    const { scheme: name, segments } = book.parse(text);
    const scheme = book.scheme(name);
    if (scheme) judge(scheme, segments);
  }
}

/** Native wildcards among the usual signs. */
const wildcardsOf = (scheme: AddressScheme): string[] =>
  ['+', '#', '*', '**', '>'].filter((sign) => scheme.wildcard(sign) !== undefined);

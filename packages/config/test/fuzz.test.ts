import { problemsToJson, redactConfig, renderProblems } from '@magpie/config';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { load } from './helpers.ts';

const words = [
  'version',
  'gateway',
  'id',
  'http',
  'port',
  'keys',
  'hash',
  'connections',
  'routes',
  'type',
  'sample',
  'url',
  'tls',
];
const word = fc.oneof(
  fc.constantFrom(...words, '__proto__', 'constructor', '${env:A}', '${file:x}', '<<', '!t', '*a', '&a'),
  fc.string(),
);
const tree = fc.letrec((tie) => ({
  leaf: fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null), fc.double(), fc.constant(1)),
  node: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(word, tie('node'), { maxKeys: 5 }),
  ),
})).node;
const nearlyValid = fc.record({
  version: fc.constant(1),
  gateway: fc.oneof(tree, fc.constant({ id: 'a' })),
  http: tree,
  connections: fc.dictionary(word, fc.oneof(tree, fc.record({ type: fc.constant('sample'), url: tree, rooms: tree }))),
  routes: tree,
});
const scraps = fc.array(
  fc.constantFrom(
    ...words,
    ': ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '|',
    '>',
    '&a ',
    '*a',
    '!!x ',
    '? ',
    '---\n',
    '\t',
    '#',
    '${',
    '%',
    '\u0000',
    '1',
  ),
  { maxLength: 40 },
);
const file = fc.oneof(
  tree.map((value) => stringify(value)),
  nearlyValid.map((value) => stringify(value)),
  scraps.map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
);

it('answers 1,000 arbitrary files with a configuration or with located problems', () => {
  fc.assert(
    fc.property(file, (text) => {
      const { config, problems, source } = load(text);
      const errors = problems.filter(({ severity }) => severity === 'error');
      expect(config === undefined).toBe(errors.length > 0);
      for (const { line, column } of problemsToJson(problems, source)) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(text.split('\n').length + 1);
      }
      renderProblems(problems, source);
      if (config) JSON.stringify(redactConfig(config));
    }),
    { numRuns: 1000 },
  );
});

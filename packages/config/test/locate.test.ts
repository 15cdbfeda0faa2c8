import type { Problem } from '@magpie/schema-messages';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadWith } from './helpers.ts';

/** The source text that `needle` of the value at `/routes/r` is located at. */
function locatedText(yaml: string, needle: string): string {
  const text = `version: 1\ngateway: { id: a }\nroutes:\n  r: ${yaml}\n`;
  const { source, config } = loadWith(text.slice(text.indexOf('routes:')));
  const start = String(config?.routes.r).indexOf(needle);
  const problem: Problem = {
    severity: 'error',
    pointer: '/routes/r',
    message: '',
    range: { start, end: start + needle.length },
  };
  const { line, column, endLine, endColumn } = source.locate(problem);
  const lines = source.text.split('\n');
  if (line !== endLine) return `${line}-${endLine}`;
  return lines[line - 1]?.slice(column - 1, endColumn - 1) ?? '';
}

describe('locating inside a value', () => {
  it.each([
    ['plain', 'payload.severity >= 3', 'severity', 'severity'],
    ['double quotes', '"payload.severity >= 3"', 'severity', 'severity'],
    ['escapes before it', '"a \\"b\\" \\u00e9\\t severity"', 'severity', 'severity'],
    ['an escape inside it', '"x \\"b\\" y"', '"b"', '\\"b\\"'.slice(0, 4)],
    ['single quotes', "'it''s severity'", 'severity', 'severity'],
    ['a folded plain text', 'payload.a ==\n    severity + 1', 'severity', 'severity'],
    ['a literal block', '|\n    payload.a ==\n      severity', 'severity', 'severity'],
    ['a folded block', '>-\n    payload.a ==\n    severity', 'severity', 'severity'],
    ['an emoji before it', '"⚠ 🎉 ${severity}"', 'severity', 'severity'],
  ])('follows %s', (_, yaml, needle, expected) => {
    expect(locatedText(yaml, needle)).toBe(expected);
  });

  it('finds a word again in whatever style it was written', () => {
    const style = fc.constantFrom(
      ...(['PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'] as const),
    );
    const words = fc.array(fc.stringMatching(/^[a-z"'\\:#é🎉]{1,8}$/u), { maxLength: 12 });
    fc.assert(
      fc.property(words, words, style, fc.constantFrom(' ', '\n'), (before, after, type, joint) => {
        const value = [...before, 'NEEDLE', ...after].join(joint);
        const yaml = stringify({ r: value }, { defaultStringType: type, defaultKeyType: 'PLAIN', lineWidth: 40 }).slice(
          3,
        );
        return locatedText(yaml.replaceAll('\n', '\n  '), 'NEEDLE') === 'NEEDLE';
      }),
      { numRuns: 300 },
    );
  });

  it('places a missing key at the mapping it belongs to', () => {
    const { source } = loadWith('connections:\n  a:\n    type: sample\n');
    const missing: Problem = { severity: 'error', pointer: '/connections/a/tls/ca', message: '' };
    expect(source.locate(missing)).toMatchObject({ line: 4, column: 3, endColumn: 4 });
  });
});

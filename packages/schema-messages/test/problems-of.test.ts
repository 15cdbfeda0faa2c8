import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { problemsOf } from '../src/index.ts';

const schema = z.strictObject({
  name: z.string().min(3),
  tags: z.array(z.string()).min(1).optional(),
  mode: z.enum(['fast', 'careful', 'off']).optional(),
  count: z.int().min(1).optional(),
  password: z.string().min(8).meta({ secret: true }).optional(),
  wait: z
    .string()
    .regex(/^\d+s$/)
    .meta({ expected: 'a duration such as "5s"' })
    .optional(),
  id: z
    .string()
    .regex(/^[a-z]+$/, 'expected small letters only')
    .optional(),
  to: z.union([z.strictObject({ topic: z.string() }), z.array(z.string())]).optional(),
  either: z.union([z.string(), z.boolean()]).optional(),
  at: z.union([z.enum(['now', 'earliest']), z.iso.datetime()], { error: 'expected "now" or a time' }).optional(),
});

const found = (input: unknown, isHidden = (_: string): boolean => false): readonly string[] => {
  const parsed = schema.safeParse(input, { reportInput: true });
  const problems = parsed.success ? [] : problemsOf(schema, parsed.error.issues, { pointer: '/x', isHidden });
  return problems.map(({ pointer, message, hint }) => [pointer, message, ...(hint ? [hint] : [])].join(' | '));
};

describe('what a schema refuses', () => {
  it.each([
    ['a missing key', {}, '/x/name | expected the key "name" (a text), got nothing'],
    ['a short text', { name: 'ab' }, '/x/name | expected a text of at least 3 characters, got "ab"'],
    ['a wrong type', { name: 5 }, '/x/name | expected a text, got 5'],
    ['an empty list', { name: 'abc', tags: [] }, '/x/tags | expected at least 1 entry, got a list'],
    ['a fraction', { name: 'abc', count: 1.5 }, '/x/count | expected a whole number, got 1.5'],
    ['a small number', { name: 'abc', count: 0 }, '/x/count | expected a number of at least 1, got 0'],
    [
      'a wrong choice',
      { name: 'abc', mode: 'fsat' },
      '/x/mode | expected one of fast, careful, off, got "fsat" | did you mean "fast"?',
    ],
    ['a marked value', { name: 'abc', wait: 'soon' }, '/x/wait | expected a duration such as "5s", got "soon"'],
    ['words of its own', { name: 'abc', id: 'A' }, '/x/id | expected small letters only, got "A"'],
    ['words of its own on a union', { name: 'abc', at: 5 }, '/x/at | expected "now" or a time, got 5'],
    [
      'a time',
      { name: 'abc', at: 'later' },
      '/x/at | expected a time such as "2026-01-31T12:00:00Z" (RFC 3339), got "later"',
    ],
    ['a union', { name: 'abc', either: 1 }, '/x/either | expected a text or true or false, got 1'],
    [
      'the branch of a union that was meant',
      { name: 'abc', to: { topc: 'a' } },
      '/x/to/topc | unknown key "topc" | did you mean "topic"?',
    ],
    ['a misspelt key', { name: 'abc', nmae: 1 }, '/x/nmae | unknown key "nmae" | did you mean "name"?'],
    [
      'a secret',
      { name: 'abc', password: 'hunter2' },
      '/x/password | expected a text of at least 8 characters, got a text',
    ],
    ['a URL', { name: ['amqp://u:pass@h'] }, '/x/name | expected a text, got a list'],
  ])('%s is worded', (_, input, line) => {
    expect(found(input)).toContain(line);
  });

  it('knows the keys of schemas with a name of their own', () => {
    const inner = z.strictObject({ topic: z.string().optional() }).meta({ id: 'Inner' });
    const named = z.strictObject({ inner }).meta({ id: 'Outer' });
    const { error } = named.safeParse({ inner: { tpoic: 1 } }, { reportInput: true });
    expect(problemsOf(named, error?.issues ?? [])[0]).toMatchObject({ hint: 'did you mean "topic"?' });
  });

  it('never shows a hidden value', () => {
    expect(found({ name: 'ab' }, (pointer) => pointer === '/x/name')).toEqual([
      '/x/name | expected a text of at least 3 characters, got a text',
    ]);
  });

  it('names at most a hundred of very many mistakes', () => {
    const keys = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`nmae${index}`, 1]));
    expect(found({ name: 'abc', ...keys })).toHaveLength(100);
  });
});

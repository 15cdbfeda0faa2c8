import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arePlainHeaders, isPlainMessage } from '../../src/resources/messages/fast-check.ts';
import { messageFields, messageHeadersSchema, messageSchema } from '../../src/resources/messages/schema.ts';

/** Text around every limit. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constant('__proto__'),
  fc.constantFrom(0, 1, 254, 255, 256, 1023, 1024, 1025, 65_535, 65_536).map((length) => 'x'.repeat(length)),
);
const number = fc.oneof(
  fc.integer({ min: -2, max: 11 }),
  fc.double(),
  fc.constantFrom(Number.POSITIVE_INFINITY, Number.NaN, -0, 2 ** 60),
);
const plain = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const dictionary = fc.dictionary(text, plain, { noNullPrototype: true });
const value = fc.oneof(
  { weight: 4, arbitrary: plain },
  fc.jsonValue(),
  dictionary,
  fc.array(fc.tuple(text, plain)),
  fc.constantFrom('2026-01-31T12:00:00Z', '30s', 'YWJj', '__proto__'),
);
const short = fc.string({ minLength: 1, maxLength: 20 });
const right = fc.record(
  {
    topic: short,
    text: short,
    headers: fc.dictionary(short, fc.oneof(short, fc.integer(), fc.boolean()), { noNullPrototype: true, maxKeys: 3 }),
    priority: fc.integer({ min: 0, max: 9 }),
    retain: fc.boolean(),
    contentType: short,
    contentEncoding: short,
    id: short,
    type: short,
    subject: short,
    key: short,
    correlationId: short,
    replyTo: short,
  },
  { requiredKeys: ['topic', 'text'], noNullPrototype: true },
);
const fieldNames = [...messageFields.keys(), 'unknown', 'constructor', 'toString'];

/** A message that is right, up to two of its fields replaced by anything or left out. */
const message = fc
  .tuple(
    right,
    fc.array(fc.tuple(fc.constantFrom(...fieldNames), fc.option(value, { nil: undefined })), { maxLength: 2 }),
  )
  .map(([fields, changes]) => ({ ...fields, ...Object.fromEntries(changes) }))
  // What a request brings has no undefined in it.
  .map((fields) => Object.fromEntries(Object.entries(fields).filter(([, each]) => each !== undefined)));

test('whatever passes the shortcut passes the schema, and comes out as it went in', { timeout: 60_000 }, () => {
  let taken = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: message }, value), (data) => {
      const parsed = messageSchema.safeParse(data);
      if (!parsed.success) refused++;
      if (!isPlainMessage(data)) return;
      taken++;
      expect(parsed.error?.issues).toBeUndefined();
      expect(parsed.data).toStrictEqual(data);
    }),
    { numRuns: 5000 },
  );
  expect(Math.min(taken, refused)).toBeGreaterThan(500);
});

test.each<object>([
  { topic: 'a', payload: null },
  { topic: 'a', text: '' },
  { topic: 'a', payload: { a: [1] }, contentType: 'application/x', contentEncoding: 'gzip', id: '1', type: 't' },
  { topic: 'a', text: 'x', subject: 's', key: 'k', correlationId: 'c', replyTo: 'topic:b', priority: 9, retain: true },
  { topic: 'a', text: 'x', headers: { a: 'b', c: 1, d: false, e: null } },
])('the usual message %j takes the shortcut', (data) => {
  expect(isPlainMessage(data)).toBe(true);
});

test('whatever headers pass the shortcut pass the schema, and come out as they went in', { timeout: 60_000 }, () => {
  const key = fc.oneof(
    text,
    text.map((inner) => `"${inner}"`),
  );
  let taken = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      fc.record({ 'idempotency-key': key, traceparent: text, 'magpie-via': text }, { requiredKeys: [] }),
      (headers) => {
        const parsed = messageHeadersSchema.safeParse(headers);
        if (!parsed.success) refused++;
        expect(arePlainHeaders(headers)).toBe(parsed.success);
        if (!parsed.success) return;
        taken++;
        expect(parsed.data).toEqual(headers);
      },
    ),
    { numRuns: 2000 },
  );
  expect(Math.min(taken, refused)).toBeGreaterThan(50);
});

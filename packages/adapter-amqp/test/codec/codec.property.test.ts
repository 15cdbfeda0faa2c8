import { type HeaderValue, newRef, type OutgoingEvent } from '@magpie/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decode } from '../../src/codec/decode.ts';
import { consumed, decoding, NOW, sentProperties } from '../support/messages.ts';

/** Refs never go back: later than any that the machine's clock has given. */
const FIRST_REF = 3_000_000_000_000;

const text = fc
  .string({ minLength: 1, maxLength: 300, unit: 'grapheme' })
  .filter((value) => !value.startsWith('base64:'));
const name = fc
  .string({ minLength: 1, maxLength: 20 })
  .filter((value) => !/^(?:x-|traceparent|tracestate|CC|BCC|\d+$|__proto__)/.test(value));
const scalar = fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null));
const value: fc.Arbitrary<HeaderValue> = fc.oneof(
  scalar,
  fc.uint8Array({ maxLength: 20 }),
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(
    name.filter((key) => key !== '!'),
    scalar,
    { maxKeys: 3, noNullPrototype: true },
  ),
);

/** A text, or a UUIDv7 of a time that may be that of the message. */
const id = fc.oneof(
  text,
  fc.integer({ min: 0, max: 2000 }).map((later) => newRef(FIRST_REF + later)),
);

const parts: fc.Arbitrary<Partial<OutgoingEvent>> = fc.record(
  {
    id,
    type: text,
    subject: text,
    contentType: text,
    contentEncoding: text,
    correlationId: text,
    priority: fc.integer({ min: 0, max: 9 }),
    retain: fc.constant(true),
    via: fc.array(text, { maxLength: 7 }).map((ids) => [...ids, 'plant-a']),
    time: fc.oneof(fc.integer({ min: -1e12, max: 4e12 }), fc.integer({ min: FIRST_REF, max: FIRST_REF + 2000 })),
    expiresAt: fc.integer({ min: NOW, max: 4e12 }),
    headers: fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 5 }),
    replyTo: fc.record({
      scheme: fc.constantFrom('queue', 'exchange', 'topic', 'room'),
      segments: fc.array(fc.stringMatching(/^[^.]{1,8}$/u), { minLength: 1, maxLength: 3 }),
    }),
    trace: fc.constant({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'k=v' }),
  },
  { requiredKeys: [] },
);

it('whatever is sent is received unchanged', () => {
  fc.assert(
    fc.property(parts, (sent) => {
      const received = decode(consumed(sentProperties(sent)), decoding);
      expect(received).toMatchObject(sent);
    }),
    { numRuns: 500 },
  );
});

it('anything at all in the properties gives an event, never an exception', () => {
  const anything = fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withNullPrototype: true });
  const properties = fc.dictionary(
    fc.constantFrom(
      'messageId',
      'type',
      'timestamp',
      'priority',
      'expiration',
      'replyTo',
      'correlationId',
      'contentType',
    ),
    anything,
  );
  const headers = fc.dictionary(
    fc.constantFrom(
      'x-magpie-via',
      'x-magpie-time',
      'x-magpie-expires-at',
      'traceparent',
      'x-reply-to',
      'x-correlation-id',
      'h',
      '__proto__',
    ),
    anything,
  );
  fc.assert(
    fc.property(properties, headers, (fields, table) => {
      const event = decode(consumed({ ...fields, headers: table }), decoding);
      if (event.time !== undefined) expect(new Date(event.time).toISOString()).toMatch(/Z$/);
      if (event.expiresAt !== undefined) expect(new Date(event.expiresAt).toISOString()).toMatch(/Z$/);
      expect(event.via.every((id) => typeof id === 'string')).toBe(true);
    }),
    { numRuns: 500 },
  );
});

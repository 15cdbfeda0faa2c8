import { GatheredBytes } from '@magpie/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const pieces = fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 40 });

it('pieces of any size become what they are together, again and again', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 3 }), fc.boolean(), (bodies, isKnown) => {
      const whole = bodies.map((body) => Buffer.concat(body));
      const bytes = new GatheredBytes(isKnown ? Math.max(0, ...whole.map(({ length }) => length)) : undefined);
      for (const [index, body] of bodies.entries()) {
        for (const piece of body) bytes.add(Buffer.from(piece));
        expect(bytes.length).toBe(whole[index]?.length);
        expect(bytes.take().equals(whole[index]!)).toBe(true);
        expect(bytes.length).toBe(0);
      }
    }),
  );
});

it('a single piece is not copied', () => {
  const bytes = new GatheredBytes();
  const piece = Buffer.from('all of it');
  bytes.add(piece);
  expect(bytes.take().buffer).toBe(piece.buffer);
});

it('a million pieces of one byte take memory for about two million bytes, and never more than there can be', () => {
  const [free, known] = [new GatheredBytes(), new GatheredBytes(1_000_000)];
  const piece = Buffer.from('x');
  for (let count = 0; count < 1_000_000; count++) {
    free.add(piece);
    known.add(piece);
  }
  expect(free.take().buffer.byteLength).toBeLessThanOrEqual(2_000_000);
  expect(known.take().buffer.byteLength).toBe(1_000_000);
});

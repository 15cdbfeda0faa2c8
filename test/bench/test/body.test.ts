import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  findSequence,
  LEAST_BODY,
  readSequence,
  SEQUENCE_OFFSET,
  templateBody,
  writeSequence,
} from '../driver/body.ts';

const numbered = (sequence: number): Buffer => {
  const body = templateBody(LEAST_BODY);
  writeSequence(body, SEQUENCE_OFFSET, sequence);
  return body;
};

describe('a body', () => {
  it('is JSON of exactly the size that was asked for', () => {
    for (const size of [LEAST_BODY, 256, 4096]) {
      const body = templateBody(size);
      expect(body.length).toBe(size);
      expect(JSON.parse(body.toString())).toMatchObject({ seq: 1_000_000_000, device: 'pump-7', severity: 4 });
    }
    expect(() => templateBody(LEAST_BODY - 1)).toThrow(RangeError);
  });

  it('carries any sequence number through JSON', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000_000 }), (sequence) => {
        const body = numbered(sequence);
        expect(readSequence(body, SEQUENCE_OFFSET)).toBe(sequence);
        expect(JSON.parse(body.toString()).seq).toBe(1_000_000_000 + sequence);
      }),
    );
  });
});

describe('looking for sequence numbers', () => {
  const all = (text: string): number[] => {
    const bytes = Buffer.from(text);
    const found: number[] = [];
    for (let at = 0; at >= 0; ) at = findSequence(bytes, at, (sequence) => found.push(sequence));
    return found;
  };

  it('finds them in JSON, in JSON within JSON and in XML', () => {
    const body = numbered(12).toString();
    expect(all(`[${body},${numbered(13)}]`)).toEqual([12, 13]);
    expect(all(JSON.stringify({ text: body }))).toEqual([12]);
    expect(all(`<body>${body.replaceAll('"', '&quot;')}</body>`)).toEqual([12]);
  });

  it('is not misled by the word without digits', () => {
    expect(all(`{"sequence":"none","consequence":4,"body":${numbered(7)}}`)).toEqual([7]);
    expect(all('nothing here')).toEqual([]);
  });
});

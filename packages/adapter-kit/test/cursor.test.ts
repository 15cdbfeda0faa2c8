import { Cursor, Malformed } from '@magpie/adapter-kit';
import { describe, expect, it } from 'vitest';

describe('the reader of fields', () => {
  it('reads numbers and texts one after another', () => {
    const cursor = new Cursor('frame');
    const bytes = Buffer.from([
      9, 1, 0x80, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfe, 0x41, 0xc3, 0xbc, 0xff, 9,
    ]);
    cursor.reset(bytes, 1, bytes.length - 1);
    expect([cursor.byte(), cursor.uint16(), cursor.int32(), cursor.uint32()]).toEqual([1, 0x80ff, -2, 0xfffffffe]);
    expect(cursor.text(1)).toBe('A');
    expect(cursor.frequentText(2)).toBe('ü');
    expect(cursor.text(1)).toBe('\ufffd');
    expect(cursor.left).toBe(0);
  });

  it('never leaves what it was given: that is a protocol error, not one of ours', () => {
    const cursor = new Cursor('packet');
    cursor.reset(Buffer.alloc(8), 0, 3);
    for (const read of [
      () => cursor.uint32(),
      () => cursor.text(4),
      () => cursor.frequentText(4),
      () => cursor.skip(9),
    ]) {
      expect(read).toThrow(new Malformed('a packet that ends inside a field'));
    }
    expect(cursor.at).toBe(0);
  });

  it('gives frequent texts as they were sent, whichever came before', () => {
    const cursor = new Cursor('packet');
    const texts = Array.from({ length: 3000 }, (_, index) => `topic/${index % 1500}`);
    for (const text of texts) {
      const bytes = Buffer.from(text);
      cursor.reset(bytes, 0, bytes.length);
      expect(cursor.frequentText(bytes.length)).toBe(text);
      bytes.fill(0);
    }
  });
});

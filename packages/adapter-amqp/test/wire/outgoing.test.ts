import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { Rejected } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeField } from '../../src/wire/fields.ts';
import { writePublish } from '../../src/wire/methods.ts';
import { createOutgoing } from '../../src/wire/outgoing.ts';
import { FULL, Writer } from '../../src/wire/writer.ts';
import { amqplib, decodeAll } from '../support/amqplib-codec.ts';

/** A socket that keeps what it gets; `stuck` ones take it when told. */
function socket(stuck = false) {
  const writes: Buffer[] = [];
  let waiting: (() => void) | undefined;
  const writable = new Writable({
    highWaterMark: 1,
    write: (chunk, _, done) => {
      writes.push(chunk);
      if (stuck) waiting = done;
      else done();
    },
    writev: (chunks, done) => {
      writes.push(Buffer.concat(chunks.map(({ chunk }) => chunk)));
      if (stuck) waiting = done;
      else done();
    },
  });
  return { writable, writes, release: () => waiting?.(), all: () => Buffer.concat(writes) };
}

const nothing = (): void => undefined;
const place = { exchange: 'x', routingKey: 'k' };

describe('what is written', () => {
  it('in one turn goes out in one write, in order, and a later acknowledgement replaces an earlier one', async () => {
    const { writable, writes } = socket();
    const outgoing = createOutgoing(writable, 4096);
    outgoing.acknowledge(2, 10);
    outgoing.acknowledge(2, 11);
    outgoing.acknowledge(3, 2 ** 33);
    outgoing.publish(1, (writer) => writePublish(writer, 1, place, true), Buffer.from('hi'));
    outgoing.acknowledge(3, 2 ** 33 + 1);
    expect(writes).toEqual([]);
    await turn();
    expect(writes).toHaveLength(1);
    expect(decodeAll(writes[0]!)).toMatchObject([
      { channel: 1, fields: { exchange: 'x', routingKey: 'k', mandatory: true, immediate: false, ticket: 0 } },
      { channel: 1, content: Buffer.from('hi') },
      { id: amqplib.BasicAck, channel: 2, fields: { deliveryTag: 11, multiple: true } },
      { channel: 3, fields: { deliveryTag: 2 ** 33 + 1, multiple: true } },
    ]);
    outgoing.acknowledge(3, 2 ** 33 + 2);
    await turn();
    expect(writes).toHaveLength(2);
  });

  it('cuts bodies into frames the broker takes, copied or not, and none for an empty one', async () => {
    const sizes = [0, 1, 4088, 4089, 8176, 8192, 8193, 100_000];
    for (const frameMax of [4096, 131_072]) {
      const { writable, all } = socket();
      const outgoing = createOutgoing(writable, frameMax);
      const bodies = sizes.map((size) => Buffer.alloc(size, String(size)));
      for (const [index, body] of bodies.entries()) outgoing.publish(index + 1, nothing, body);
      await turn();
      const frames = decodeAll(all());
      for (const [index, body] of bodies.entries()) {
        const pieces = frames.filter(({ channel }) => channel === index + 1).map(({ content }) => content!);
        expect(Buffer.concat(pieces).equals(body)).toBe(true);
        expect(pieces.map((piece) => piece.length + 8 <= frameMax)).not.toContain(false);
        expect(pieces).toHaveLength(Math.ceil(body.length / (frameMax - 8)));
      }
    }
  });

  it('stays whole over many pieces of memory', async () => {
    const { writable, all } = socket();
    const outgoing = createOutgoing(writable, 131_072);
    const sizes = Array.from({ length: 500 }, (_, index) => (index * 97) % 3000);
    for (const size of sizes) {
      outgoing.publish(
        1,
        (writer) => writePublish(writer, 1, { ...place, routingKey: `${size}` }, false),
        Buffer.alloc(size),
      );
      if (size % 5 === 0) outgoing.acknowledge(2, size);
    }
    await turn();
    const keys = decodeAll(all()).flatMap(({ fields }) => fields?.routingKey ?? []);
    expect(keys).toEqual(sizes.map(String));
  });

  it('leaves no trace of a message that could not be written', async () => {
    const { writable, all } = socket();
    const outgoing = createOutgoing(writable, 4096);
    const long = { exchange: 'é'.repeat(128), routingKey: '' };
    expect(() => outgoing.publish(1, (writer) => writePublish(writer, 1, long, true), Buffer.from('x'))).toThrow(
      Rejected,
    );
    const endless = (writer: Writer): void => {
      for (;;) writer.uint32(1);
    };
    expect(() => outgoing.publish(1, endless, Buffer.from('x'))).toThrow(RangeError);
    outgoing.publish(1, (writer) => writer.raw(amqplib.makeBodyFrame(1, Buffer.alloc(70_000))), Buffer.alloc(0));
    await turn();
    expect(decodeAll(all())).toMatchObject([{ channel: 1, content: Buffer.alloc(70_000) }]);
  });
});

describe('a socket that takes nothing more', () => {
  it('gets the rest when it does, or at once when something must come after it', async () => {
    const { writable, writes, release } = socket(true);
    const outgoing = createOutgoing(writable, 4096);
    outgoing.acknowledge(1, 1);
    await turn();
    outgoing.acknowledge(1, 2);
    await turn();
    expect(writes).toHaveLength(1);
    release();
    await turn();
    expect(writes).toHaveLength(2);
    outgoing.acknowledge(1, 3);
    outgoing.flush();
    expect(writable.writableLength).toBeGreaterThan(21);
    writable.write('after');
    release();
    await turn();
    expect(writes[2]?.subarray(-5).toString()).toBe('after');
  });

  it('gets nothing after its end', async () => {
    const { writable, writes } = socket();
    const outgoing = createOutgoing(writable, 4096);
    writable.destroy();
    outgoing.acknowledge(1, 1);
    outgoing.flush();
    await turn();
    expect(writes).toEqual([]);
  });
});

describe('header values', () => {
  const scalar = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 100 }),
    fc.maxSafeInteger(),
    fc.integer({ min: -200, max: 200 }),
    fc.integer({ min: -40_000, max: 40_000 }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
  );
  const value = fc.oneof(
    scalar,
    fc.array(scalar),
    fc.dictionary(
      fc.string({ maxLength: 20 }).filter((name) => !/^(?:!|__proto__|\d+)$/.test(name)),
      scalar,
    ),
  );

  it('are written byte for byte as amqplib writes them, or fit into no memory', () => {
    const theirs = Buffer.alloc(100_000);
    fc.assert(
      fc.property(value, fc.nat(3000), (one, room) => {
        const ours = new Writer(Buffer.alloc(100_000));
        writeField(ours, one);
        const size = amqplib.encodeTable(theirs, { k: forAmqplib(one) }, 0);
        expect(ours.bytes.subarray(0, ours.at).equals(theirs.subarray(6, size))).toBe(true);
        const small = new Writer(Buffer.alloc(room));
        if (room >= ours.at) writeField(small, one);
        else expect(() => writeField(small, one)).toThrow(FULL);
      }),
      { numRuns: 1000 },
    );
  });

  /** amqplib needs doubles to be marked, and takes only finite ones. */
  function forAmqplib(one: unknown): unknown {
    if (typeof one === 'number') {
      if (!Number.isFinite(one)) return String(one);
      return Number.isSafeInteger(one) && !Object.is(one, -0) ? one : { '!': 'double', value: one };
    }
    if (Array.isArray(one)) return one.map(forAmqplib);
    if (typeof one === 'object' && one !== null) {
      return Object.fromEntries(Object.entries(one).map(([name, inner]) => [name, forAmqplib(inner)]));
    }
    return one;
  }
});

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { amqplib, decodeAll, deliveryFrames, present } from '../support/amqplib-codec.ts';
import { consumed } from '../support/messages.ts';
import { arbitraryProperties } from './arbitrary.ts';
import { CHANNEL, reading } from './frames.ts';

/** Properties as ours and as amqplib's reader see the same bytes. */
function both(properties: object): { ours: object; theirs: object } {
  const bytes = Buffer.concat(deliveryFrames(CHANNEL, { ...consumed(), properties, content: Buffer.from('body') }));
  const got = reading(1_000_000);
  got.receive(bytes);
  return { ours: present(got.messages[0]!.properties), theirs: present(decodeAll(bytes)[1]!.fields!) };
}

/** Bytes of whatever kind of array. */
const alike = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(alike);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, alike(inner)]));
  }
  return value;
};

it('properties and headers of every type are read as amqplib reads them', () => {
  fc.assert(
    fc.property(arbitraryProperties, (properties) => {
      const { ours, theirs } = both(properties);
      expect(alike(ours)).toEqual(alike(theirs));
    }),
    { numRuns: 500 },
  );
});

it('integers beyond 2^53 keep their last digit', () => {
  const { ours } = both({
    headers: { big: { '!': 'int64', value: 9_007_199_254_740_993n }, low: { '!': 'int64', value: -(2n ** 63n) } },
  });
  expect(ours).toEqual({ headers: { big: '9007199254740993', low: '-9223372036854775808' } });
});

it('a header may have any name', () => {
  const headers = Object.defineProperty({}, '__proto__', { value: 'x', enumerable: true });
  const { ours } = both({ headers });
  expect(Object.entries(Reflect.get(ours, 'headers'))).toEqual([['__proto__', 'x']]);
  expect(Object.getPrototypeOf(Reflect.get(ours, 'headers'))).toBe(Object.prototype);
});

it('bodies of one piece, of many and of none arrive whole', () => {
  for (const size of [0, 1, 4088, 4089, 20_000]) {
    const content = Buffer.alloc(size, 'abc');
    const got = reading();
    for (const frame of deliveryFrames(CHANNEL, { ...consumed(), content }, 4088)) got.receive(frame);
    expect(got.messages.map((message) => message.content.equals(content))).toEqual([true]);
  }
});

it('nesting that is made to do harm costs what is too deep, not the link: the message would come again for ever', () => {
  let table = Buffer.alloc(4);
  for (let level = 0; level < 10_000; level++) {
    const around = Buffer.concat([Buffer.alloc(4), Buffer.of(1, 0x61, 0x46), table]);
    around.writeUInt32BE(around.length - 4);
    table = around;
  }
  const [method, header] = deliveryFrames(CHANNEL, { ...consumed(), properties: {} });
  const flags = Buffer.concat([header!.subarray(0, 19), Buffer.of(0x20, 0), table, Buffer.of(206)]);
  flags.writeUInt32BE(flags.length - 8, 3);
  const got = reading(1_000_000);
  const body = amqplib.makeBodyFrame(CHANNEL, consumed().content);
  got.receive(Buffer.concat([method!, flags, body]));
  expect(got.messages).toHaveLength(1);
  let depth = 0;
  let value: unknown = got.messages[0]!.properties.headers;
  for (; typeof value === 'object' && value !== null; depth++) value = Reflect.get(value, 'a');
  expect({ depth, value }).toEqual({ depth: 129, value: null });
});

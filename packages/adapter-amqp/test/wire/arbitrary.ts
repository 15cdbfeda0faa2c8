import fc from 'fast-check';

const short = fc.string({ maxLength: 60, unit: 'grapheme' });
/** amqplib loses a header of the name `__proto__`; that we do not has a test of its own. */
const headerName = short.filter((name) => name !== '__proto__');
const int = (min: number, max: number) => fc.integer({ min, max });
const typed = (type: string, value: fc.Arbitrary<unknown>) => fc.record({ '!': fc.constant(type), value });

/** Every type amqplib can write, by which a broker could. */
const { field } = fc.letrec<{ field: unknown }>((tie) => ({
  field: fc.oneof(
    { depthSize: 'small' },
    fc.string({ maxLength: 100, unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.maxSafeInteger(),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.oneof(
      ...[typed('int8', int(-128, 127)), typed('uint8', int(0, 255)), typed('int16', int(-32_768, 32_767))],
      ...[
        typed('uint16', int(0, 65_535)),
        typed('int32', int(-(2 ** 31), 2 ** 31 - 1)),
        typed('uint32', int(0, 2 ** 32 - 1)),
      ],
      ...[
        typed('int64', fc.maxSafeInteger()),
        typed('double', fc.double({ noNaN: true })),
        typed('float', fc.float({ noNaN: true })),
      ],
      ...[
        typed('timestamp', fc.maxSafeNat()),
        typed('decimal', fc.record({ places: int(0, 255), digits: int(0, 2 ** 32 - 1) })),
      ],
    ),
    fc.array(tie('field'), { maxLength: 4 }),
    fc.dictionary(
      headerName.filter((name) => name !== '!'),
      tie('field'),
      { maxKeys: 4 },
    ),
  ),
}));

/** A table of headers. */
export const arbitraryTable = fc.dictionary(headerName, field, { maxKeys: 6 });

/** All properties of a message. */
export const arbitraryProperties = fc.record(
  {
    contentType: short,
    contentEncoding: short,
    headers: arbitraryTable,
    deliveryMode: int(0, 255),
    priority: int(0, 255),
    correlationId: short,
    replyTo: short,
    expiration: short,
    messageId: short,
    timestamp: fc.maxSafeNat(),
    type: short,
    userId: short,
    appId: short,
    clusterId: short,
  },
  { requiredKeys: [] },
);

/** A message as a broker delivers it. */
export const arbitraryMessage = fc.record({
  fields: fc.record({
    consumerTag: short,
    deliveryTag: fc.maxSafeNat(),
    redelivered: fc.boolean(),
    exchange: short,
    routingKey: short,
  }),
  properties: arbitraryProperties,
  content: fc.uint8Array({ maxLength: 3000, size: 'max' }).map((bytes) => Buffer.from(bytes)),
});

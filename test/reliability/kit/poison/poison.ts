import type { Header, Value } from '../../../support/message.ts';
import type { Random } from '../settings.ts';

/** How a poison message may end: as it was sent at the target, or given up and accounted for; `late`: in time, or expired. */
export type Ending = 'arrives' | 'given up' | 'either' | 'late';

/** A message made to do harm, whatever the protocol. */
export interface Poison {
  readonly what: string;
  readonly body: Buffer;
  readonly contentType?: string;
  readonly headers?: readonly Header[];
  /** Where below its place it is sent: further levels of a topic, or the routing key. */
  readonly at?: string;
  /** How long it is worth anything, such as `1ms`. */
  readonly ttl?: string;
  /** Its end where nothing but its size can stand in the way. */
  readonly ends: Ending;
}

const MIB = 1024 * 1024;
const JSON_TYPE = 'application/json';

const text = (what: string, body: string, contentType?: string): Poison => ({
  what,
  body: Buffer.from(body),
  ends: 'arrives',
  ...(contentType === undefined ? {} : { contentType }),
});
const bytes = (what: string, body: Buffer, ends: Ending = 'arrives'): Poison => ({ what, body, ends });

/** Bodies that must pass byte for byte. */
export const strangeBodies = (random: Random): readonly Poison[] => [
  bytes('no body', Buffer.alloc(0)),
  bytes('invalid UTF-8', Buffer.concat([Buffer.from([0xff, 0xfe, 0xc0, 0xaf, 0xe2, 0x82]), random.bytes(64)])),
  bytes('invalid UTF-8 said to be text', Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62, 0x80])),
  text('NUL and control characters', 'a\u0000b\u0001\u0008\u000b\u000c\u001b[31m\u001f\u007f\u0085z', 'text/plain'),
  text('what XML 1.0 has no place for', '\ufffe\uffff and a lone \r and \r\n'),
  text('line separators and marks of direction', '\u2028\u2029\u202e\u200f\ufeff'),
  text('the end of a stanza', ']]></body></message></stream:stream><!DOCTYPE x [<!ENTITY e "e">]>&e;&#0;'),
  text('deep nesting', '['.repeat(50_000), JSON_TYPE),
  text('deep nesting that closes', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, JSON_TYPE),
  text('prototypes', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}', JSON_TYPE),
  text('huge numbers', `{"n":1e400,"big":${'9'.repeat(5000)},"tiny":-0,"e":1e-400}`, JSON_TYPE),
  text('a template in the body', '${payload.x} $${x} ${env:HOME} {{x}} %00 %s', 'text/plain'),
  bytes('chance', random.bytes(random.between(1, 4096))),
];

/** Topics up to what MQTT and its brokers permit. */
export const strangeTopics = (): readonly Poison[] =>
  [`${'/a'.repeat(190)}`, `/${'x'.repeat(60_000)}`, '///', '/ ', '/$SYS', '/é\u202e\u{1f426}', '/%2F%00', '/..'].map(
    (at) => ({
      ...text(`the topic …${at.slice(0, 20)}`, at),
      at,
    }),
  );

/** Routing keys up to what AMQP permits. */
export const strangeKeys = (): readonly Poison[] =>
  [`in.${'k'.repeat(252)}`, `in.${'é'.repeat(126)}`, 'in.#', 'in.*', 'in..', 'in.\u0000', 'in./+#'].map((at) => ({
    ...text(`the routing key ${at.slice(0, 20)}`, at),
    at,
  }));

/** A message that is worth nothing before it can be sent. */
export const lateMessage = (): Poison => ({ ...text('too late', 'too late'), ttl: '1ms', ends: 'late' });

/** Bodies around the limits. */
export const largeBodies = (random: Random): readonly Poison[] => [
  bytes('a body at the limit', filled(random, MIB)),
  bytes('a body over the limit', filled(random, MIB + random.between(1, 1000)), 'given up'),
];

/** Chance where it is cheap: a few hundred bytes, over and over. */
const filled = (random: Random, length: number): Buffer => Buffer.alloc(length, random.bytes(997));

const header = (what: string, headers: readonly Header[], ends: Ending = 'arrives'): Poison => ({
  ...{ what, headers, ends },
  body: Buffer.from(what),
});

/** What the headers of a sender's protocol can hold. */
export interface HeaderAbilities {
  /** Control characters, in names too. */
  readonly binary: boolean;
  /** Lists. */
  readonly nested: boolean;
}

/** Headers in numbers, in sizes and with names that do harm. */
export const strangeHeaders = (random: Random, { binary, nested }: HeaderAbilities): readonly Poison[] => [
  header('60 headers', numbered(60)),
  header('100 headers', numbered(100), 'given up'),
  header('a header of 20 KiB', [['long', 'x'.repeat(20 * 1024 + random.between(0, 99))]], 'given up'),
  header('names of prototypes', [
    ['__proto__', 'polluted'],
    ['constructor', 'polluted'],
    ['hasOwnProperty', 'polluted'],
  ]),
  ...(nested ? [maybe(header('a header of 300 levels', [['deep', nest(300)]]))] : []),
  ...(binary
    ? [
        header('line breaks and NUL in a header', [
          ['x-break', 'a\r\nSet-Cookie: b\u0000c\u001f'],
          ['nul\u0000name', 'x'],
        ]),
      ]
    : []),
];

const nest = (depth: number): Value => (depth === 0 ? 'bottom' : [nest(depth - 1)]);
const numbered = (count: number): readonly Header[] => Array.from({ length: count }, (_, index) => [`h${index}`, 'x']);

const json = (what: string, value: unknown): Poison => text(what, JSON.stringify(value), JSON_TYPE);
const raw = (what: string, source: string): Poison => text(what, source, JSON_TYPE);
const maybe = (poison: Poison): Poison => ({ ...poison, ends: 'either' });

/** A message that the expressions of the routes under test can make something of. */
export const PALATABLE = { severity: 4, name: 'pump', list: ['ab'], text: 'hot' } as const;

/** Payloads that the expressions of a route cannot cope with, and some that are only odd. */
export const strangePayloads = (random: Random): readonly Poison[] =>
  [
    raw('no JSON', 'severity is high'),
    raw('nothing at all', ''),
    bytes('JSON of chance', random.bytes(random.between(1, 200))),
    raw('JSON cut off', JSON.stringify(PALATABLE).slice(0, random.between(1, 40))),
    ...[null, true, 7, 'text', [], {}].map((value) => json(`payload ${JSON.stringify(value)}`, value)),
    json('a field missing', { ...PALATABLE, list: undefined }),
    json('a list that is empty', { ...PALATABLE, list: [] }),
    json('text for a number', { ...PALATABLE, severity: 'high' }),
    json('a list for text', { ...PALATABLE, text: [{ a: 1 }] }),
    json('null for text', { ...PALATABLE, text: null }),
    json('lone surrogates and NUL in text', { ...PALATABLE, text: '\ud800 \u0000 \udfff' }),
    json('long text', { ...PALATABLE, text: 'x'.repeat(200_000) }),
    raw('a number beyond all', `{"severity":1e400,"name":"n","list":["a"],"text":"t"}`),
    raw('a prototype instead of fields', `{"__proto__":${JSON.stringify(PALATABLE)}}`),
    raw('fields twice', `{"severity":1,"severity":4,"name":"n","list":["a"],"text":"t"}`),
    raw('depth in a field', `{"severity":4,"name":"n","list":["a"],"text":${'['.repeat(9000)}${']'.repeat(9000)}}`),
  ].map(maybe);

/** Values for one level of a target's address. */
export const strangeNames = (random: Random): readonly Poison[] =>
  [
    ...['a/b', '/', '+', '#', '', '\u0000', '$SYS', '..', '*', 'a.b.#', 'a@b/c', ' ', '\ud800', '%2F', '\r\n'],
    ...[null, 7, ['a', 'b'], { a: 1 }],
    ...['é'.repeat(127), 'é'.repeat(200), 'x'.repeat(70_000)],
    random.bytes(20).toString('latin1'),
  ].map((name) => maybe(json(`the name ${JSON.stringify(name).slice(0, 40)}`, { ...PALATABLE, name })));

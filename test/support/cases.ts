import { randomBytes } from 'node:crypto';
import type { Field, Message } from './message.ts';

/** One message that is sent from every source to every target. */
export interface Case {
  /** Continues "… →". */
  readonly title: string;
  /** The fields of the mapping tables that this case proves. */
  readonly proves: readonly Field[];
  readonly message: Omit<Message, 'id'>;
}

const text = (content: string): Pick<Message, 'body' | 'contentType'> => ({
  body: Buffer.from(content),
  contentType: 'text/plain',
});

const TEN_MINUTES = 600_000;

/** What a person may type. */
export const TEXTS: Readonly<Record<string, string>> = {
  'text with accents': 'Grüße von Pumpe 7: "heiß" & <kaputt>',
  'emoji joined of several, flags and skin tones': '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇨🇭 e\u0301',
  'text from right to left': 'שלום לכולם مرحبا بالعالم \u2067abc\u2069',
  'several lines and tabs': 'one\n\ttwo\nthree',
};

export const CASES: readonly Case[] = [
  ...Object.entries(TEXTS).map(([title, content]): Case => ({ title, proves: ['body'], message: text(content) })),
  { title: 'text with a NUL, a carriage return and a bell', proves: ['body'], message: text('a\0b\r\nc\u0007') },
  {
    title: 'JSON',
    proves: ['body', 'contentType'],
    message: {
      body: Buffer.from('{"device":"pump-7","severity":4,"nested":{"list":[1,2.5,null,true,"é"]}}'),
      contentType: 'application/json',
    },
  },
  {
    title: '100 KB of random bytes',
    proves: ['body', 'contentType'],
    message: { body: randomBytes(100 * 1024), contentType: 'application/octet-stream' },
  },
  { title: 'an empty body', proves: ['body'], message: { body: Buffer.alloc(0) } },
  {
    title: 'headers that repeat, with types and markup',
    proves: ['headers'],
    message: {
      ...text('see the headers'),
      headers: [
        ['plant', 'Köln & <Bonn> "7"'],
        ['siren', '🚨'],
        ['tag', 'a'],
        ['tag', 'b'],
        ['count', 42],
        ['ratio', 2.5],
        ['urgent', true],
      ],
    },
  },
  {
    title: 'a media type of its own and a content encoding',
    proves: ['contentType', 'contentEncoding'],
    message: {
      body: Buffer.from([0xa1, 0x01, 0xff]),
      contentType: 'application/vnd.plant+cbor',
      contentEncoding: 'gzip',
    },
  },
  {
    title: 'a correlation id and a topic to reply to',
    proves: ['correlationId', 'replyTo'],
    message: { ...text('?'), correlationId: 'order-7', replyTo: { scheme: 'topic', segments: ['answers', 'pump-7'] } },
  },
  {
    title: 'a correlation id and a queue to reply to',
    proves: ['correlationId', 'replyTo'],
    message: { ...text('?'), correlationId: 'Größe 7', replyTo: { scheme: 'queue', segments: ['answers'] } },
  },
  {
    title: 'a person to reply to',
    proves: ['replyTo'],
    message: { ...text('?'), replyTo: { scheme: 'jid', segments: ['alice', 'localhost'] } },
  },
  {
    title: 'a type and a subject',
    proves: ['id', 'type', 'subject'],
    message: { ...text('hot'), type: 'plant.alarm', subject: 'pump-7' },
  },
  { title: 'a priority', proves: ['priority'], message: { ...text('soon'), priority: 7 } },
  { title: 'an expiry', proves: ['expiresAt'], message: { ...text('milk'), expiresAt: Date.now() + TEN_MINUTES } },
  {
    title: 'the time at which it happened',
    proves: ['time'],
    message: { ...text('then'), time: Date.UTC(2026, 0, 31, 12, 30, 15, 123) },
  },
  {
    title: 'a trace and the gateways passed',
    proves: ['trace', 'via'],
    message: {
      ...text('traced'),
      trace: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'vendor=1' },
      via: ['plant-b'],
    },
  },
  { title: 'the wish to be kept as the last value', proves: ['retain'], message: { ...text('kept'), retain: true } },
  { title: 'the mark of a possible repeat', proves: ['redelivered'], message: { ...text('again'), redelivered: true } },
];

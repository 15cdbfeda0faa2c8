import {
  type Address,
  type AddressBook,
  BODY_FORMS,
  EVENT_KINDS,
  type Event,
  encodeBody,
  type HeaderValue,
  JsonNumber,
} from '@magpie/contract';
import { z } from 'zod';
import { findPlace, wordsOf } from '../address/words.ts';
import { isRecord, type Report, reportUnknownKey } from '../report.ts';
import { parseKeys } from '../route/keys.ts';
import type { Source } from '../route/source.ts';

const givenKeys = z.strictObject({
  payload: z.unknown().optional().describe('Body as JSON'),
  text: z.string().optional().describe('Body as text'),
  base64: z.string().optional().describe('Body as base64'),
  headers: z.record(z.string(), z.unknown()).optional().describe('Headers, one value per name'),
  kind: z.enum(EVENT_KINDS).default('message').describe('Kind of event'),
  origin: z.record(z.string(), z.unknown()).default({}).describe('Protocol facts, for conditions over origin'),
  contentType: z.string().optional().describe('Media type of the body; default by its form'),
  id: z.string().optional().describe("The sender's id"),
  type: z.string().optional().describe('Type of the event'),
  subject: z.string().optional().describe('Subject of the event'),
  correlationId: z.string().optional().describe('Correlation id'),
  priority: z.number().int().min(0).max(9).optional().describe('Priority'),
  key: z.string().optional().describe('Ordering key; default the address'),
  via: z.array(z.string()).default([]).describe('Gateways it has passed'),
  time: z.iso.datetime({ offset: true }).default('2026-01-01T00:00:00Z').describe('When it was sent and received'),
});

/** Where a given message comes from. */
export interface GivenPlace extends Pick<Source, 'connection' | 'pattern'> {
  /** Its address when the message names none; default the pattern, if it has nothing but literals. */
  readonly address?: Address | undefined;
}

type GivenKeys = z.output<typeof givenKeys>;

/** Makes the event of a route test from what is written under `given`; undefined after reporting. */
export function compileGiven(raw: unknown, source: GivenPlace, book: AddressBook, report: Report): Event | undefined {
  if (!isRecord(raw)) return void report.error('expected a mapping with the address and the body of a message');
  const words = new Set(wordsOf(source.connection.adapter));
  const entries = Object.entries(raw);
  const own = parseKeys(givenKeys, Object.fromEntries(entries.filter(([key]) => !words.has(key))), report);
  const address = givenAddress(Object.fromEntries(entries.filter(([key]) => words.has(key))), source, report);
  if (own === undefined || address === undefined) return undefined;
  const facts = Object.keys(source.connection.adapter.originSchema.shape);
  for (const key of Object.keys(own.origin))
    if (!facts.includes(key)) reportUnknownKey(report.at('origin'), key, facts);
  if (BODY_FORMS.filter((form) => own[form] !== undefined).length > 1) {
    return void report.error('expected one of payload, text and base64');
  }
  return createEvent(own, address, source, book);
}

function givenAddress(
  words: Readonly<Record<string, unknown>>,
  source: GivenPlace,
  report: Report,
): Address | undefined {
  if (Object.keys(words).length === 0) return source.address ?? literalAddress(source, report);
  const place = findPlace(source.connection.adapter, words, report);
  if (place === undefined) return undefined;
  const segments = place.scheme.split(place.words);
  return { scheme: place.scheme.scheme, segments };
}

/** A route that listens to one place only needs no address in its tests. */
function literalAddress(
  { pattern: { scheme, segments }, connection }: GivenPlace,
  report: Report,
): Address | undefined {
  const literals = segments.flatMap((segment) => (segment.type === 'literal' ? [segment.value] : []));
  if (literals.length === segments.length) return { scheme, segments: literals };
  const [first] = connection.adapter.addresses.find((each) => each.scheme === scheme)?.words ?? [];
  return void report.error(`expected "${first}", the place the message comes from`);
}

function createEvent(own: GivenKeys, address: Address, { connection }: GivenPlace, book: AddressBook): Event {
  const { payload, text, base64, headers, kind, origin, key, via, time, ...rest } = own;
  const forms = { ...(payload === undefined ? {} : { payload }), ...(text === undefined ? {} : { text }) };
  const encoded = encodeBody(base64 === undefined ? forms : { base64 });
  const at = Date.parse(time);
  const parts = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...{ ref: '00000000-0000-7000-8000-000000000000', source: connection.name, address, kind, via, origin },
    key: key ?? book.format(address, connection.adapter.type),
    time: at,
    receivedAt: at,
    body: new Uint8Array(),
    ...encoded,
    headers: Object.entries(headers ?? {}).map(([name, value]) => [name, headerValue(value)]),
    ...parts,
  };
}

/** YAML knows no bytes: `{ base64: … }` stands for them, as in the JSON form of an event. */
function headerValue(value: unknown): HeaderValue {
  if (isRecord(value) && typeof value.base64 === 'string') return Buffer.from(value.base64, 'base64');
  if (Array.isArray(value)) return value.map(headerValue);
  if (value instanceof JsonNumber) return value.digits;
  if (isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, headerValue(inner)]));
  return value === null || typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

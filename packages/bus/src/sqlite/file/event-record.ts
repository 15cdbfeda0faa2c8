import { crc32 } from 'node:zlib';
import type { Event, Header } from '@magpie/contract';
import { packHeaders, unpackHeaders } from './header-json.ts';

/**
 * The stored form of an event: version (1 byte), CRC-32 of what follows it (4), length of the meta part (4), the meta
 * part as a JSON list, the body as it is. The ref is the first item of the list, so that SQL can compare it in place.
 */
const VERSION = 1;
const CRC_AT = 1;
const CRC_FROM = 5;
const META_LENGTH_AT = 5;
const META_AT = 9;

/** Where the 36 characters of the ref stand in a record, counted from 1 as SQL's `substr` does. */
export const REF_IN_RECORD = { start: META_AT + 3, length: 36 } as const;

/**
 * The bytes of a record from the source on, and where they begin, counted as above: equal in every record of events from
 * that connection and in no other.
 */
export function sourceInRecord(source: string): { readonly start: number; readonly bytes: Uint8Array } {
  const { start, length } = REF_IN_RECORD;
  return { start: start + length + '",'.length, bytes: Buffer.from(`${JSON.stringify(source)},`) };
}

/** A record whose bytes are not what was written, or written by a newer version. */
export class RecordDamaged extends Error {
  override readonly name = 'RecordDamaged';
}

type Required =
  | 'ref'
  | 'source'
  | 'address'
  | 'kind'
  | 'key'
  | 'time'
  | 'receivedAt'
  | 'headers'
  | 'via'
  | 'origin'
  | 'body';

/** The required fields in order, then the optional ones by name. */
type Meta = [
  ref: string,
  source: string,
  scheme: string,
  segments: readonly string[],
  kind: Event['kind'],
  key: string,
  time: number,
  receivedAt: number,
  headers: readonly Header[],
  via: readonly string[],
  origin: Event['origin'],
  optional: Omit<Event, Required>,
];

/** A growing buffer of records, to be transferred to another thread as one. */
export interface RecordWriter {
  /** Appends the record of an event; returns the end of it. Throws what `JSON.stringify` throws. */
  add(event: Event, receivedAt: number): number;
  /** Takes back everything after `end`. */
  rewind(end: number): void;
  /** Bytes written. */
  size(): number;
  /** The buffer, longer than `size`. The writer is spent. */
  buffer(): ArrayBuffer;
}

/** Makes a record writer with room for `capacity` bytes at first. */
export function createRecordWriter(capacity: number): RecordWriter {
  let target = Buffer.from(new ArrayBuffer(capacity));
  let size = 0;
  const reserve = (bytes: number): void => {
    if (size + bytes <= target.length) return;
    const grown = Buffer.from(new ArrayBuffer(Math.max(size + bytes, target.length * 2)));
    target.copy(grown, 0, 0, size);
    target = grown;
  };
  return {
    add: (event, receivedAt) => {
      const meta = metaOf(event, receivedAt);
      // UTF-8 takes at most three bytes per UTF-16 unit.
      reserve(META_AT + meta.length * 3 + event.body.byteLength);
      const metaLength = target.write(meta, size + META_AT, 'utf8');
      target[size] = VERSION;
      target.writeUInt32LE(metaLength, size + META_LENGTH_AT);
      target.set(event.body, size + META_AT + metaLength);
      size += META_AT + metaLength + event.body.byteLength;
      return size;
    },
    rewind: (end) => {
      size = end;
    },
    size: () => size,
    buffer: () => target.buffer,
  };
}

/** The record of one event, sealed. */
export function encodeRecord(event: Event): Uint8Array {
  const writer = createRecordWriter(1024);
  const end = writer.add(event, event.receivedAt);
  const record = new Uint8Array(writer.buffer(), 0, end);
  sealRecord(record);
  return record;
}

/** Writes the checksum into a record; the last step before it is stored. */
export function sealRecord(record: Uint8Array): void {
  new DataView(record.buffer, record.byteOffset).setUint32(CRC_AT, crc32(record.subarray(CRC_FROM)), true);
}

/** The event of a record; its body is a view of `record`. Throws `RecordDamaged`. */
export function decodeRecord(record: Uint8Array): Event {
  checkRecord(record);
  const [ref, source, scheme, segments, kind, key, time, receivedAt, headers, via, origin, optional] = metaIn(record);
  const address = { scheme, segments };
  const body = bodyOfRecord(record);
  const required = { ref, source, address, kind, key, time, receivedAt, via, origin, body };
  return { ...required, headers: unpackHeaders(headers), ...optional };
}

/**
 * What filters judge of an event, without the rest of it and without its checksum; undefined when the record cannot be
 * read. Called by the reader thread for every event a search looks at.
 */
export function routingFieldsOf(record: Uint8Array): Pick<Event, 'source' | 'kind' | 'address'> | undefined {
  try {
    const [, source, scheme, segments, kind] = metaIn(record);
    return { source, kind, address: { scheme, segments } };
  } catch {
    return undefined; // Damaged, or of a newer version: `decodeRecord` says which.
  }
}

/** The body of a record without decoding the rest, for the dedupe fingerprint. */
export const bodyOfRecord = (record: Uint8Array): Uint8Array => record.subarray(bodyStart(record));

const bodyStart = (record: Uint8Array): number =>
  META_AT + new DataView(record.buffer, record.byteOffset).getUint32(META_LENGTH_AT, true);

function metaIn(record: Uint8Array): Meta {
  const length = bodyStart(record) - META_AT;
  return JSON.parse(Buffer.from(record.buffer, record.byteOffset + META_AT, length).toString('utf8'));
}

/** Throws `RecordDamaged` unless version and checksum are right. */
function checkRecord(record: Uint8Array): void {
  if (record.byteLength < META_AT) throw new RecordDamaged(`a record of ${record.byteLength} bytes, too short for one`);
  if (record[0] !== VERSION)
    throw new RecordDamaged(`record version ${record[0]}, this version of Magpie reads ${VERSION}`);
  const view = new DataView(record.buffer, record.byteOffset);
  if (view.getUint32(CRC_AT, true) !== crc32(record.subarray(CRC_FROM)))
    throw new RecordDamaged('the checksum is wrong');
}

function metaOf(event: Event, received: number): string {
  const { ref, source, address, kind, key, time, headers, via, origin } = event;
  const { scheme, segments } = address;
  const packed = packHeaders(headers);
  const meta: Meta = [ref, source, scheme, segments, kind, key, time, received, packed, via, origin, optionalOf(event)];
  return JSON.stringify(meta);
}

/** The fields that an event need not have, by name. */
const OPTIONAL = {
  ...{ id: true, type: true, subject: true, contentType: true, contentEncoding: true, correlationId: true },
  ...{ replyTo: true, priority: true, retain: true, trace: true, expiresAt: true, redelivered: true },
  ...{ dedupeKey: true, dedupe: true },
} satisfies Record<Exclude<keyof Event, Required>, true>;

const NO_FIELDS = {};

function optionalOf(event: Event): Omit<Event, Required> {
  let fields: Record<string, unknown> | undefined;
  for (const name in event) {
    if (!Object.hasOwn(OPTIONAL, name)) continue;
    fields ??= {};
    fields[name] = event[name as keyof typeof OPTIONAL];
  }
  return fields ?? NO_FIELDS;
}

import assert from 'node:assert/strict';
import { mqttAdapter } from '@magpie/adapter-mqtt';
import { createAddressBook, type Event, eventToJson } from '@magpie/contract';
import {
  createRecordWriter,
  decodeRecord,
  encodeRecord,
  sealRecord,
} from '../../../../packages/bus/src/sqlite/file/event-record.ts';
import { type Case, type Subject, simple } from '../case.ts';
import { jsonBody, storedEvent } from '../samples.ts';

const plain = (event: Event): Event => ({ ...event, body: Buffer.from(event.body) });

const encoding = (): Subject<Uint8Array> => {
  const event = storedEvent(jsonBody(256));
  return { run: () => encodeRecord(event), check: (record) => assert.deepEqual(plain(decodeRecord(record)), event) };
};

const decoding = (): Subject<Event> => {
  const event = storedEvent(jsonBody(256));
  const record = encodeRecord(event);
  return { run: () => decodeRecord(record), check: (got) => assert.deepEqual(plain(got), event) };
};

/** As a commit does it: all records in one buffer that goes to the writer's thread, which seals them. */
function batchOf(count: number): Subject<readonly Uint8Array[]> {
  const event = storedEvent(jsonBody(256));
  const room = (encodeRecord(event).length + 4096) * count;
  return {
    run: () => {
      const writer = createRecordWriter(room);
      const ends = Array.from({ length: count }, () => writer.add(event, event.receivedAt));
      return ends.map((end, index) => {
        const start = ends[index - 1] ?? 0;
        const record = new Uint8Array(writer.buffer(), start, end - start);
        sealRecord(record);
        return record;
      });
    },
    check: (records) => {
      assert.equal(records.length, count);
      for (const record of records) assert.deepEqual(plain(decodeRecord(record)), event);
    },
  };
}

const json = (): Subject<string> => {
  const book = createAddressBook([mqttAdapter]);
  const event = storedEvent(jsonBody(256));
  return {
    run: () => JSON.stringify(eventToJson(event, book)),
    check: (text) => {
      const { ref, address, payload, headers } = JSON.parse(text);
      assert.deepEqual({ ref, address, headers }, { ref: event.ref, address: event.key, headers: event.headers });
      assert.deepEqual(payload, JSON.parse(event.body.toString()));
    },
  };
};

/** An event as the log and as the API write it. */
export const eventForms: readonly Case[] = [
  simple('log: event to record', encoding),
  simple('log: 128 events to records in one buffer', () => batchOf(128), 128),
  simple('log: record to event', decoding),
  simple('API: event to JSON text', json),
];

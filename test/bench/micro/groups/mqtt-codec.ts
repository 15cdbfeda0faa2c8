import assert from 'node:assert/strict';
import type { ReceivedEvent } from '@magpie/contract';
import { decode } from '../../../../packages/adapter-mqtt/src/codec/decode.ts';
import { encode } from '../../../../packages/adapter-mqtt/src/codec/encode.ts';
import type { OutboundPacket } from '../../../../packages/adapter-mqtt/src/wire/outgoing.ts';
import { type Case, type Subject, simple } from '../case.ts';
import { jsonBody, NOW, outgoingEvent } from '../samples.ts';
import { outbound, packetsIn, TARGET, wireOf } from './mqtt-wire.ts';

const OPTIONS = { now: NOW, replay: false } as const;

/** Whether an event is what was sent, all that travels by MQTT 5 included. */
function checkEvent(event: ReceivedEvent): void {
  const { id, type, contentType, headers, via, trace, time, body } = outgoingEvent(jsonBody(256));
  const { address, ...rest } = event;
  assert.deepEqual(address, TARGET.address);
  const got = { ...rest, body: Buffer.from(rest.body), origin: undefined, kind: undefined };
  const same = { id, type, contentType, headers, via, trace, time, body, origin: undefined, kind: undefined };
  assert.deepEqual(got, same);
}

function decoding(version: 5 | 3): Subject<ReceivedEvent> {
  const [packet] = packetsIn(wireOf(outbound(version), 1, version), version).published;
  if (!packet) throw new Error('there is no packet to decode');
  return {
    run: () => decode(packet, { version, ...OPTIONS }),
    check: (event) => {
      if (version === 5) return checkEvent(event);
      assert.deepEqual(event.address, TARGET.address);
      assert.ok(Buffer.from(event.body).equals(jsonBody(256)));
    },
  };
}

function encoding(version: 5 | 3): Subject<OutboundPacket> {
  const event = outgoingEvent(jsonBody(256));
  return {
    run: () => encode(event, TARGET, version, NOW),
    check: (packet) => {
      const [back] = packetsIn(wireOf(packet, 1, version), version).published;
      assert.ok(back, 'nothing came out');
      const decoded = decode(back, { version, ...OPTIONS });
      if (version === 5) checkEvent(decoded);
      else assert.deepEqual(decoded.address, TARGET.address);
    },
  };
}

/** From bytes to an event in one go, as a link does it for a full chunk. */
function receiving(count: number): Subject<readonly ReceivedEvent[]> {
  const chunk = wireOf(outbound(5), count, 5);
  return {
    run: () => packetsIn(chunk, 5).published.map((packet) => decode(packet, { version: 5, ...OPTIONS })),
    check: (events) => {
      assert.equal(events.length, count);
      for (const event of events) checkEvent(event);
    },
  };
}

/** Between packets and events. */
export const mqttCodec: readonly Case[] = [
  simple('MQTT 5: packet to event', () => decoding(5)),
  simple('MQTT 5: event to packet', () => encoding(5)),
  simple('MQTT 3.1.1: bare packet to event', () => decoding(3)),
  simple('MQTT 3.1.1: event to bare packet', () => encoding(3)),
  simple('MQTT 5: 100 packets in a chunk to events', () => receiving(100), 100),
];

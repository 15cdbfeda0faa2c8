import assert from 'node:assert/strict';
import { decodeUtf8 } from '@magpie/contract';
import { generate, type Packet, parser } from 'mqtt-packet';
import { type Case, type Subject, simple } from '../case.ts';
import { jsonBody, SIZES, sizeText } from '../samples.ts';
import { outbound, packetsIn, wireOf } from './mqtt-wire.ts';

/** `count` packets per chunk by the parser of MQTT.js. */
function libraryParsing(count: number): Subject<readonly Packet[]> {
  const chunk = wireOf(outbound(3), count, 3);
  let got: Packet[] = [];
  const reader = parser({ protocolVersion: 4 });
  reader.on('packet', (packet) => void got.push(packet));
  return {
    run: () => {
      got = [];
      reader.parse(chunk);
      return got;
    },
    check: (packets) => {
      const payloads = packets.map((packet) => packet.cmd === 'publish' && packet.payload.toString());
      assert.deepEqual(
        payloads,
        Array.from({ length: count }, () => jsonBody(256).toString()),
      );
    },
  };
}

const libraryWriting = (): Subject<Buffer> => {
  const { topic, payload } = outbound(3);
  const bytes = Buffer.from(payload);
  return {
    run: () => generate({ cmd: 'publish', topic, payload: bytes, qos: 1, messageId: 1, retain: false, dup: false }),
    check: (packet) => {
      const [back] = packetsIn(packet, 3).published;
      assert.ok(back && Buffer.from(back.payload).equals(bytes));
    },
  };
};

const jsonParsing = (size: number): Subject<{ readonly severity?: number }> => {
  const body = jsonBody(size);
  return { run: () => JSON.parse(decodeUtf8(body) ?? ''), check: ({ severity }) => assert.equal(severity, 4) };
};

/** What others need for the same, measured in the same run: ratios to these hold on other machines too. */
export const comparison: readonly Case[] = [
  simple('to compare: mqtt-packet, write bare PUBLISH', libraryWriting),
  simple('to compare: mqtt-packet, parse bare PUBLISH, 1 per chunk', () => libraryParsing(1)),
  simple('to compare: mqtt-packet, parse bare PUBLISH, 100 per chunk', () => libraryParsing(100), 100),
  ...SIZES.map((size) => simple(`to compare: JSON.parse of a body of ${sizeText(size)}`, () => jsonParsing(size))),
];

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { encode } from '../../../../packages/adapter-mqtt/src/codec/encode.ts';
import { ackBytes, createOutgoing, type OutboundPacket } from '../../../../packages/adapter-mqtt/src/wire/outgoing.ts';
import type { ControlPacket, InboundPacket } from '../../../../packages/adapter-mqtt/src/wire/packets.ts';
import { createParser } from '../../../../packages/adapter-mqtt/src/wire/parser.ts';
import { type Case, type Subject, simple } from '../case.ts';
import { jsonBody, NOW, outgoingEvent } from '../samples.ts';

/** Where all of these go. */
export const TARGET = {
  address: { scheme: 'topic', segments: ['plant', 'pump-7', 'alarm'] },
  options: { qos: 1 },
} as const;

/** A message as MQTT 5 carries it, or with a topic and a body alone, as MQTT 3.1.1 does. */
export const outbound = (version: 5 | 3): OutboundPacket => encode(outgoingEvent(jsonBody(256)), TARGET, version, NOW);

/** Takes what is written, without a stream's bookkeeping. */
class Sink extends Writable {
  #chunks: Uint8Array[] = [];

  override write(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk);
    return true;
  }

  /** What was written since the last call; in two pieces where the writer's memory came to an end in between. */
  take(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }
}

/** `count` packets as they go to a socket. */
export function wireOf(packet: OutboundPacket, count: number, version: 5 | 3): Buffer {
  const sink = new Sink();
  const outgoing = createOutgoing(sink, version, () => undefined);
  for (let id = 1; id <= count; id++) outgoing.publish(packet, id);
  outgoing.flush();
  const bytes = Buffer.concat(sink.take());
  // A chunk of a socket has memory of its own.
  const chunk = Buffer.allocUnsafeSlow(bytes.length);
  chunk.set(bytes);
  return chunk;
}

/** All packets in some bytes. @throws when they are no packets. */
export function packetsIn(bytes: Buffer, version: 5 | 3): { published: InboundPacket[]; controls: ControlPacket[] } {
  const published: InboundPacket[] = [];
  const controls: ControlPacket[] = [];
  const fail = (problem: unknown): never => assert.fail(`malformed: ${problem}`);
  const handler = {
    publish: (packet: InboundPacket) => void published.push(packet),
    control: (packet: ControlPacket) => void controls.push(packet),
    malformed: fail,
    tooLarge: fail,
  };
  createParser(version, 1024 * 1024, handler).push(bytes);
  return { published, controls };
}

function checkPublish({ topic, payload, qos, packetId }: InboundPacket, sent: OutboundPacket, id: number): void {
  assert.deepEqual({ topic, qos, packetId }, { topic: sent.topic, qos: sent.qos, packetId: id });
  assert.ok(Buffer.from(payload).equals(sent.payload), 'the body is another');
}

function writing(version: 5 | 3, count: number): Subject<readonly Uint8Array[]> {
  const packet = outbound(version);
  const sink = new Sink();
  const outgoing = createOutgoing(sink, version, () => undefined);
  return {
    run: () => {
      for (let id = 1; id <= count; id++) outgoing.publish(packet, id);
      outgoing.flush();
      return sink.take();
    },
    check: (chunks) => {
      const { published } = packetsIn(Buffer.concat(chunks), version);
      assert.equal(published.length, count);
      for (const [index, each] of published.entries()) checkPublish(each, packet, index + 1);
    },
  };
}

function parsing(version: 5 | 3, count: number): Subject<readonly InboundPacket[]> {
  const sent = outbound(version);
  const chunk = wireOf(sent, count, version);
  let got: InboundPacket[] = [];
  const nothing = (): void => undefined;
  const publish = (packet: InboundPacket): void => void got.push(packet);
  const parser = createParser(version, 1024 * 1024, {
    publish,
    control: nothing,
    malformed: nothing,
    tooLarge: nothing,
  });
  return {
    run: () => {
      got = [];
      parser.push(chunk);
      return got;
    },
    check: (packets) => {
      assert.equal(packets.length, count);
      for (const [index, each] of packets.entries()) checkPublish(each, sent, index + 1);
      assert.equal(packets[0]?.properties?.userProperties !== undefined, version === 5, 'its properties are missing');
    },
  };
}

function parsingAcks(count: number): Subject<readonly ControlPacket[]> {
  const chunk = Buffer.allocUnsafeSlow(count * 4);
  for (let id = 1; id <= count; id++) chunk.writeUInt32BE(ackBytes('puback', id), (id - 1) * 4);
  let got: ControlPacket[] = [];
  const nothing = (): void => undefined;
  const control = (packet: ControlPacket): void => void got.push(packet);
  const parser = createParser(5, 1024, { publish: nothing, control, malformed: nothing, tooLarge: nothing });
  return {
    run: () => {
      got = [];
      parser.push(chunk);
      return got;
    },
    check: (packets) => {
      const ids = packets.map((packet) => packet.type === 'puback' && packet.packetId);
      assert.deepEqual(
        ids,
        Array.from({ length: count }, (_, index) => index + 1),
      );
    },
  };
}

const MANY = 100;

/** PUBLISH and PUBACK between packets and bytes. */
export const mqttWire: readonly Case[] = [
  simple('MQTT 5: write PUBLISH, 1 per turn', () => writing(5, 1)),
  simple('MQTT 5: write PUBLISH, 100 per turn', () => writing(5, MANY), MANY),
  simple('MQTT 3.1.1: write bare PUBLISH, 100 per turn', () => writing(3, MANY), MANY),
  simple('MQTT 5: parse PUBLISH, 1 per chunk', () => parsing(5, 1)),
  simple('MQTT 5: parse PUBLISH, 100 per chunk', () => parsing(5, MANY), MANY),
  simple('MQTT 3.1.1: parse bare PUBLISH, 1 per chunk', () => parsing(3, 1)),
  simple('MQTT 3.1.1: parse bare PUBLISH, 100 per chunk', () => parsing(3, MANY), MANY),
  simple('MQTT 5: parse PUBACK, 100 per chunk', () => parsingAcks(MANY), MANY),
];

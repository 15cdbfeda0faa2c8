import { Writable } from 'node:stream';
import { generate, type IConnackPacket, type Packet, parser } from 'mqtt-packet';
import { createOutgoing, type OutboundPacket } from '../../src/wire/outgoing.ts';
import type { ControlPacket, InboundPacket } from '../../src/wire/packets.ts';
import { createParser } from '../../src/wire/parser.ts';

export type ConnackProperties = NonNullable<IConnackPacket['properties']>;

const LIMIT = 1024 * 1024;

/** What our parser makes of some chunks. */
export function packetsOf(chunks: readonly Uint8Array[], version: 5 | 3, limit = LIMIT) {
  const published: InboundPacket[] = [];
  const controls: ControlPacket[] = [];
  const problems: string[] = [];
  const reader = createParser(version, limit, {
    publish: (packet) => published.push(packet),
    control: (packet) => controls.push(packet),
    malformed: (problem) => problems.push(problem),
    tooLarge: (size) => problems.push(`${size} bytes`),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return { published, controls, problems };
}

/** A socket that keeps every chunk written to it; `take` lets it go on when it has asked to wait. */
export function heldSocket(highWaterMark: number) {
  const chunks: Buffer[] = [];
  const taking: (() => void)[] = [];
  const socket = new Writable({
    highWaterMark,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      taking.push(done);
    },
  });
  return { socket, chunks, take: () => taking.shift()?.() };
}

/** A PUBLISH as our writer writes it. */
export function bytesOf(packet: OutboundPacket, packetId: number, version: 5 | 3): Buffer {
  const written: Buffer[] = [];
  const socket = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  const outgoing = createOutgoing(socket, version, () => undefined);
  outgoing.publish(packet, packetId);
  outgoing.flush();
  return Buffer.concat(written);
}

/** What the parser of the library makes of bytes. @throws what it objects to. */
export function parseWithLibrary(packets: Uint8Array, version: 5 | 3): Packet[] {
  const parsed: Packet[] = [];
  const reader = parser({ protocolVersion: version === 5 ? 5 : 4 });
  reader.on('packet', (packet) => parsed.push(packet));
  reader.on('error', (error: unknown) => {
    throw error;
  });
  reader.parse(Buffer.from(packets));
  return parsed;
}

/** A packet as the library writes it. */
export const bytes = (packet: Packet, version: 5 | 3): Buffer =>
  generate(packet, { protocolVersion: version === 5 ? 5 : 4 });

/** A CONNACK that accepts the login, with a session kept from before. */
export const connack = (version: 5 | 3, properties?: ConnackProperties): Buffer =>
  bytes(
    { cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent: true, ...(properties && { properties }) },
    version,
  );

/** A SUBACK that grants QoS 1 for one filter. */
export const suback = (version: 5 | 3, messageId: number): Buffer =>
  bytes({ cmd: 'suback', messageId, granted: [1] }, version);

/** A PUBLISH of the body `x`. */
export const publish = (version: 5 | 3, topic: string, messageId: number, qos: 0 | 1 | 2 = 1): Buffer =>
  bytes({ cmd: 'publish', topic, payload: 'x', qos, retain: false, dup: false, messageId }, version);

/** A message of QoS 0 to the topic `a`, but for what is given. */
export const message = (parts: Partial<OutboundPacket>): OutboundPacket => ({
  topic: 'a',
  payload: Buffer.from('x'),
  qos: 0,
  retain: false,
  ...parts,
});

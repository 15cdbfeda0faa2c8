import { randomBytes } from 'node:crypto';
import { findSequence, readSequence, SEQUENCE_OFFSET, templateBody, writeSequence } from '../body.ts';
import {
  connectPacket,
  type MqttLogin,
  type MqttVersion,
  PACKET,
  pubackPackets,
  publishTemplate,
  readPackets,
  subscribePacket,
} from '../codecs/mqtt-codec.ts';
import { framed, openLine } from '../line.ts';
import type { SinkSpecification, SourceSpecification } from '../specification.ts';
import type { Listener, Sink, Source } from './ends.ts';

/** Packet ids in use at a time; there are 65,535. */
const MOST_UNACKNOWLEDGED = 30_000;

/** Sends PUBLISH packets that were encoded before, many per write. */
export async function mqttSource(
  { port, qos, topics, version = 4, ...login }: Extract<SourceSpecification, { kind: 'mqtt' }>,
  body: number,
  listener: Listener,
): Promise<Source> {
  let unacknowledged = 0;
  const line = await openSession({ port, version, login }, listener, {
    publish: () => undefined,
    puback: () => {
      unacknowledged--;
    },
    settled: () => listener.settled(),
  });
  const templates = topics.map((topic) => publishTemplate(topic, templateBody(body), qos, version));
  const size = templates[0]!.bytes.length;
  if (templates.some(({ bytes }) => bytes.length !== size)) throw new Error('the topics differ in length');
  return {
    room: () => MOST_UNACKNOWLEDGED - unacknowledged,
    send: (first, count) => {
      const bytes = Buffer.allocUnsafe(size * count);
      for (let index = 0; index < count; index++) {
        const sequence = first + index;
        const template = templates[sequence % templates.length]!;
        const at = index * size;
        template.bytes.copy(bytes, at);
        if (qos === 1) bytes.writeUInt16BE((sequence % 65_535) + 1, at + template.idAt);
        writeSequence(bytes, at + template.sequenceAt, sequence);
      }
      if (qos === 1) unacknowledged += count;
      line.write(bytes);
    },
    close: line.close,
  };
}

/** Counts what arrives; acknowledges everything of one read with one write. */
export async function mqttSink(
  { port, qos, filter, version = 4, ...login }: Extract<SinkSpecification, { kind: 'mqtt' }>,
  listener: Listener,
): Promise<Sink> {
  let ids: number[] = [];
  const line = await openSession({ port, version, login }, listener, {
    publish: (bytes, bodyAt, id) => {
      const sequence = readSequence(bytes, bodyAt + SEQUENCE_OFFSET);
      // A body that was wrapped has its number elsewhere.
      if (sequence >= 0) listener.arrived(sequence);
      else findSequence(bytes, bodyAt, listener.arrived);
      if (id > 0) ids.push(id);
    },
    puback: () => undefined,
    settled: () => {
      if (ids.length > 0) line.write(pubackPackets(ids));
      ids = [];
      listener.settled();
    },
  });
  await line.subscribe(filter, qos);
  return { close: line.close };
}

interface SessionReader {
  publish(bytes: Buffer, bodyAt: number, id: number): void;
  puback(): void;
  settled(): void;
}

interface Place {
  readonly port: number;
  readonly version: MqttVersion;
  readonly login: MqttLogin;
}

/** Connects; resolves when the broker has accepted. */
async function openSession({ port, version, login }: Place, listener: Listener, reader: SessionReader) {
  const connected = Promise.withResolvers<void>();
  const subscribed = Promise.withResolvers<void>();
  const codeAt = (type: number): number => (type === PACKET.connack ? 1 : version === 5 ? 3 : 2);
  const other = (type: number, bytes: Buffer, at: number): void => {
    if (type === PACKET.puback) reader.puback();
    if (type !== PACKET.connack && type !== PACKET.suback) return;
    const { resolve, reject } = type === PACKET.connack ? connected : subscribed;
    const code = bytes[at + codeAt(type)]!;
    const refused = type === PACKET.connack ? code > 0 : code > 2;
    if (refused) reject(new Error(`the MQTT broker on port ${port} refused with code ${code}`));
    else resolve();
  };
  const read = framed((bytes) => readPackets(bytes, version, { publish: reader.publish, other }));
  const line = await openLine(
    port,
    (bytes) => {
      read(bytes);
      reader.settled();
    },
    (error) => {
      connected.reject(error);
      listener.failed(error);
    },
  );
  line.write(connectPacket(`bench-${randomBytes(6).toString('hex')}`, version, login));
  await connected.promise;
  return {
    ...line,
    subscribe: (filter: string, qos: 0 | 1): Promise<void> => {
      line.write(subscribePacket(filter, qos, version));
      return subscribed.promise;
    },
  };
}

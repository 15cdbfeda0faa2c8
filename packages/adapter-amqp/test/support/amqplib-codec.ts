import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ConsumeMessage, MessageProperties } from 'amqplib';

/** A frame as amqplib's parser decodes it. */
export interface DecodedFrame {
  readonly id?: number;
  readonly channel: number;
  readonly size?: number;
  readonly fields?: Record<string, unknown>;
  readonly content?: Buffer;
}

interface ParsedFrame {
  readonly rest: Buffer;
}

/** amqplib's own codec, by which we judge ours. It is no part of its interface, so the files are loaded by their paths. */
interface Codec {
  parseFrame(bytes: Buffer, max: number): ParsedFrame | false;
  decodeFrame(frame: ParsedFrame): DecodedFrame;
  makeBodyFrame(channel: number, body: Buffer): Buffer;
  encodeMethod(id: number, channel: number, fields: object): Buffer;
  encodeProperties(id: number, channel: number, size: number, fields: object): Buffer;
  encodeTable(bytes: Buffer, table: object, at: number): number;
}

/** Ids of methods, by their names. */
type MethodName =
  | `Basic${'Ack' | 'Consume' | 'ConsumeOk' | 'Deliver' | 'Nack' | 'Properties' | 'Publish' | 'QosOk' | 'Reject'}`
  | `Channel${'Close' | 'CloseOk' | 'Open' | 'OpenOk'}`
  | `Confirm${'Select' | 'SelectOk'}`
  | `Connection${'Blocked' | 'Close' | 'Open' | 'OpenOk' | 'Start' | 'Tune'}`
  | `Queue${'Declare' | 'DeclareOk'}`;

const require = createRequire(import.meta.url);
const library = join(dirname(require.resolve('amqplib')), 'lib');
const load = (name: string): object => require(join(library, name));

/** See `Codec`. */
export const amqplib = { ...load('frame.js'), ...load('defs.js'), ...load('codec.js') } as Codec &
  Readonly<Record<MethodName, number>>;

/** All frames in some bytes. Throws where amqplib does, and when something is left over. */
export function decodeAll(bytes: Buffer): DecodedFrame[] {
  const frames: DecodedFrame[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const frame = amqplib.parseFrame(rest, 0);
    if (!frame) throw new Error(`${rest.length} bytes that make no frame`);
    frames.push(amqplib.decodeFrame(frame));
    rest = frame.rest;
  }
  return frames;
}

/** The frames of a delivery as a broker sends them. */
export function deliveryFrames(
  channel: number,
  { fields, properties, content }: { fields: ConsumeMessage['fields']; properties: object; content: Buffer },
  pieceBytes = 1000,
): Buffer[] {
  const frames = [
    amqplib.encodeMethod(amqplib.BasicDeliver, channel, fields),
    amqplib.encodeProperties(amqplib.BasicProperties, channel, content.length, properties),
  ];
  for (let at = 0; at < content.length; at += pieceBytes) {
    frames.push(amqplib.makeBodyFrame(channel, content.subarray(at, at + pieceBytes)));
  }
  return frames;
}

/** The properties there are. */
export const present = (properties: object): Partial<MessageProperties> =>
  Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));

/** Every method of the class that governs connections, by amqplib's name: `ConnectionStart`. */
export const METHODS: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(amqplib).filter(([name, id]) => /^Connection[A-Z]/.test(name) && typeof id === 'number'),
);

/** The methods of the classes that work on a channel, by name. */
export const CHANNEL_METHODS: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(amqplib).filter(
    ([name, id]) =>
      /^(?:Basic|Channel|Confirm|Exchange|Queue|Tx|Access)[A-Z]/.test(name) &&
      !name.endsWith('Properties') &&
      typeof id === 'number',
  ),
);

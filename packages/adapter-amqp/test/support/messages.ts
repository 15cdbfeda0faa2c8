import type { OutgoingEvent } from '@magpie/contract';
import type { ConsumeMessage, MessageProperties } from 'amqplib';
import type { DecodeContext } from '../../src/codec/decode.ts';
import { type EncodeContext, encode } from '../../src/codec/encode.ts';
import { Writer } from '../../src/wire/writer.ts';
import { decodeAll, present } from './amqplib-codec.ts';

export const NOW = 1_800_000_000_123;

export const encoding: EncodeContext = {
  gatewayId: 'plant-a',
  now: () => NOW,
  persistent: true,
  frameMax: 131_072,
};
export const decoding: DecodeContext = { queue: 'inbox', now: NOW, uniqueIds: false };

export const outgoing = (parts: Partial<OutgoingEvent> = {}): OutgoingEvent => ({
  id: 'id-1',
  ref: 'ref',
  delivery: 'delivery-1',
  body: Buffer.from('body'),
  headers: [],
  via: ['plant-a'],
  time: NOW,
  redelivered: false,
  ...parts,
});

/** A consumed message as amqplib gives it. */
export const consumed = (
  properties: Partial<ConsumeMessage['properties']> = {},
  fields: Partial<ConsumeMessage['fields']> = {},
): ConsumeMessage => ({
  content: Buffer.from('body'),
  fields: { deliveryTag: 1, redelivered: false, exchange: 'alarms', routingKey: 'a.b', consumerTag: 'c', ...fields },
  properties: {
    contentType: undefined,
    contentEncoding: undefined,
    headers: {},
    deliveryMode: undefined,
    priority: undefined,
    correlationId: undefined,
    replyTo: undefined,
    expiration: undefined,
    messageId: undefined,
    timestamp: undefined,
    type: undefined,
    userId: undefined,
    appId: undefined,
    clusterId: undefined,
    ...properties,
  },
});

/** The properties of an event that is sent, as amqplib reads them. */
export function sentProperties(parts: Partial<OutgoingEvent>, context = encoding): Partial<MessageProperties> {
  const writer = new Writer(Buffer.alloc(200_000));
  encode(writer, 7, outgoing(parts), context);
  const [frame, ...others] = decodeAll(writer.bytes.subarray(0, writer.at));
  if (frame?.channel !== 7 || frame.size !== outgoing(parts).body.length || others.length > 0) {
    throw new Error('not the one header of this message');
  }
  return present(frame.fields ?? {});
}

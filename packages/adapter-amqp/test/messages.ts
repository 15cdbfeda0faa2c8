import type { OutgoingEvent } from '@magpie/contract';
import type { ConsumeMessage, Options } from 'amqplib';
import type { DecodeContext } from '../src/decode.ts';
import type { EncodeContext } from '../src/encode.ts';

export const NOW = 1_800_000_000_123;

export const encoding: EncodeContext = {
  gatewayId: 'plant-a',
  now: NOW,
  persistent: true,
  mandatory: true,
  send: 'ref.1',
};
export const decoding: DecodeContext = { queue: 'inbox', now: NOW, uniqueIds: false };

export const outgoing = (parts: Partial<OutgoingEvent> = {}): OutgoingEvent => ({
  id: 'id-1',
  ref: 'ref',
  delivery: 'delivery-1',
  body: Buffer.from('body'),
  headers: [],
  via: [],
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

/** What the other side would get of published properties. */
export const delivered = ({ persistent, mandatory: _, ...properties }: Options.Publish): ConsumeMessage =>
  consumed({ ...properties, deliveryMode: persistent === true ? 2 : 1 });

import assert from 'node:assert/strict';
import type { ReceivedEvent } from '@magpie/contract';
import type { ConsumeMessage, Options } from 'amqplib';
import { decode } from '../../../../packages/adapter-amqp/src/decode.ts';
import { encode } from '../../../../packages/adapter-amqp/src/encode.ts';
import { type Case, type Subject, simple } from '../case.ts';
import { jsonBody, NOW, outgoingEvent } from '../samples.ts';

const ENCODING = { gatewayId: 'plant-a', now: NOW, persistent: true, mandatory: true, send: 'delivery.1' } as const;
const DECODING = { queue: 'inbox', now: NOW, uniqueIds: false } as const;

const UNSET = {
  ...{ contentType: undefined, contentEncoding: undefined, headers: {}, deliveryMode: undefined, priority: undefined },
  ...{
    correlationId: undefined,
    replyTo: undefined,
    expiration: undefined,
    messageId: undefined,
    timestamp: undefined,
  },
  ...{ type: undefined, userId: undefined, appId: undefined, clusterId: undefined },
};

/** What the client library gives the receiver of published properties. */
const delivered = ({ persistent: _, mandatory: __, ...properties }: Options.Publish): ConsumeMessage => ({
  content: jsonBody(256),
  fields: { deliveryTag: 1, redelivered: false, exchange: 'alarms', routingKey: 'plant.pump-7', consumerTag: 'c' },
  properties: { ...UNSET, ...properties, deliveryMode: 2 },
});

function checkEvent(event: ReceivedEvent): void {
  const { id, type, contentType, headers, via, trace, time, body } = outgoingEvent(jsonBody(256));
  const { address, origin: _, dedupeKey, dedupe: __, ...rest } = event;
  assert.deepEqual(address, { scheme: 'queue', segments: ['inbox', 'plant', 'pump-7'] });
  assert.equal(dedupeKey, `inbox/${id}`);
  assert.deepEqual(rest, { kind: 'message', id, type, contentType, headers, via, trace, time, body });
}

function decoding(): Subject<ReceivedEvent> {
  const message = delivered(encode(outgoingEvent(jsonBody(256)), ENCODING));
  return { run: () => decode(message, DECODING), check: checkEvent };
}

function encoding(): Subject<Options.Publish> {
  const event = outgoingEvent(jsonBody(256));
  return {
    run: () => encode(event, ENCODING),
    check: (properties) => checkEvent(decode(delivered(properties), DECODING)),
  };
}

/** Between the properties of a message and an event. */
export const amqpCodec: readonly Case[] = [
  simple('AMQP: message to event', decoding),
  simple('AMQP: event to properties', encoding),
];

import { traceOf, viaOf } from '@magpie/adapter-kit';
import type { OutgoingEvent, ReceivedEvent, TargetRequest } from '@magpie/contract';
import { channelScheme } from './address.ts';
import { type MemoryConfig, targetSchema } from './config.ts';
import type { MemoryDelivery, MemoryMessage, MemoryProperties } from './message.ts';

/** What the codec needs to know of the link. */
export interface LinkFacts {
  readonly clientId: string;
  /** Names one life of the broker: its delivery numbers start anew after a reset. */
  readonly epoch: string;
  readonly metadata: MemoryConfig['metadata'];
}

/** An event on its way out to the message the broker takes. Pure. */
export function encodeMessage(event: OutgoingEvent, target: TargetRequest, link: LinkFacts): MemoryMessage {
  const { body, retain, ref: _ref, delivery: _delivery, redelivered: _redelivered, ...properties } = event;
  const options = targetSchema.parse(target.options);
  return {
    channel: channelScheme.format(target.address.segments),
    body,
    retain: options.retain ?? retain ?? false,
    sender: link.clientId,
    properties: link.metadata ? properties : {},
  };
}

/** A delivery of the broker to the event the gateway stores. Pure and total: every message becomes an event. */
export function decodeDelivery(delivery: MemoryDelivery, link: LinkFacts): ReceivedEvent {
  const { number, message, redelivered } = delivery;
  const { channel, sender, body, retain } = message;
  const { trace: sent, via = [], ...properties }: MemoryProperties = link.metadata ? message.properties : {};
  const trace = traceOf(sent?.traceparent, sent?.tracestate);
  return {
    headers: [],
    ...properties,
    via: viaOf(via),
    ...(trace && { trace }),
    body,
    address: { scheme: channelScheme.scheme, segments: channelScheme.parse(channel) },
    kind: 'message',
    origin: { channel, sender },
    ...(retain ? { retain } : {}),
    ...(redelivered ? { redelivered } : {}),
    // Sound because the broker itself numbers messages and repeats the number on a redelivery.
    ...(link.metadata ? { dedupeKey: JSON.stringify([link.epoch, link.clientId, number]) } : {}),
  };
}

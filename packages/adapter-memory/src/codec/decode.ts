import { traceOf, viaOf } from '@magpie/adapter-kit';
import type { ReceivedEvent } from '@magpie/contract';
import type { MemoryDelivery, MemoryProperties } from '../broker/message.ts';
import type { MemoryConfig } from '../config.ts';
import { channelScheme } from './address.ts';

/** Facts of the link that the codec needs. */
export interface LinkFacts {
  readonly clientId: string;
  /** Id of one run of the broker: delivery numbers restart after a reset. */
  readonly epoch: string;
  readonly metadata: MemoryConfig['metadata'];
}

/** Converts a delivery to the event the gateway stores. Pure and total: every message becomes an event. */
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
    // Reliable because the broker numbers messages and repeats the number on redelivery.
    ...(link.metadata ? { dedupeKey: JSON.stringify([link.epoch, link.clientId, number]) } : {}),
  };
}

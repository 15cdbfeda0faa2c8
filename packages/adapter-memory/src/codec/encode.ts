import type { OutgoingEvent, TargetRequest } from '@magpie/contract';
import type { MemoryMessage } from '../broker/message.ts';
import { targetSchema } from '../config.ts';
import { channelScheme } from './address.ts';
import type { LinkFacts } from './decode.ts';

/** Converts an outgoing event to a message of the broker. Pure. */
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

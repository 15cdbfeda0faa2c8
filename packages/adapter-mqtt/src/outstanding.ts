import { type MagpieError, NotConnected, Unknown } from '@magpie/contract';
import type { MqttClient } from 'mqtt';
import type { OutboundPacket } from './encode.ts';
import { condemnsMessage, reasonError } from './errors.ts';
import type { Life, LinkEnd } from './life.ts';

/** Publishes and waits for confirmations; the library forgets its callbacks when a link with a kept session dies. */
export type Publish = (packet: OutboundPacket) => Promise<void>;

/**
 * Makes `publish` for one link. It writes at once and resolves on PUBACK, PUBCOMP or, at QoS 0, once written. When the
 * link ends it rejects with `Unknown`, or as the broker's DISCONNECT says when only one message can be meant.
 * `unfinished` holds the packet ids of QoS 2 publishes from their start to their end.
 */
export function createPublish(client: MqttClient, life: Life, where: string, unfinished: Set<number>): Publish {
  const waiting = new Set<(error: MagpieError) => void>();
  life.onEnd((end) => {
    const error = lossOf(end, waiting.size, where);
    for (const reject of waiting) reject(error);
    waiting.clear();
  });
  return async ({ topic, payload, qos, retain, properties }) => {
    if (life.state !== 'open') throw new NotConnected(`the link to ${where} is down`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.add(reject);
    client.publish(topic, payload, { qos, retain, ...(properties && { properties }) }, (error, packet) => {
      waiting.delete(reject);
      if (id !== undefined) unfinished.delete(id);
      if (error) reject(refusal(error, packet, topic));
      else resolve();
    });
    const id = qos === 2 ? client.getLastMessageId() : undefined;
    if (id !== undefined) unfinished.add(id);
    return promise;
  };
}

function lossOf({ error, reasonCode }: LinkEnd, count: number, where: string): MagpieError {
  if (reasonCode !== undefined && count === 1 && condemnsMessage(reasonCode)) {
    return reasonError('publish', reasonCode, `the broker at ${where} ended the link over this message`);
  }
  return new Unknown(`the link was lost before the broker confirmed: ${error.message}`, { cause: error });
}

function refusal(error: Error, packet: unknown, topic: string): MagpieError {
  const what = `the broker refused the message to "${topic}"`;
  if ('code' in error && typeof error.code === 'number')
    return reasonError('publish', error.code, what, reasonString(packet));
  return new Unknown(`${what}: ${error.message}`, { cause: error });
}

/** The broker's own explanation in the properties of a packet (MQTT 5 section 3.4.2.2.2). */
export function reasonString(packet: unknown): string | undefined {
  if (typeof packet !== 'object' || packet === null || !('properties' in packet)) return undefined;
  const { properties } = packet;
  if (typeof properties !== 'object' || properties === null || !('reasonString' in properties)) return undefined;
  return typeof properties.reasonString === 'string' ? properties.reasonString : undefined;
}

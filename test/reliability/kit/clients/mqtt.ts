import mqtt, { type IPublishPacket } from 'mqtt';
import type { Reader, Recorder, Sender } from './ends.ts';

const RECONNECT_MS = 200;

/** Publishes with QoS 1; the library connects again and repeats what was not acknowledged. */
export async function mqttSender(url: string, topic: (key: string) => string): Promise<Sender> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: RECONNECT_MS });
  client.on('error', () => undefined); // 'close' follows, and the next attempt
  return {
    send: async (key, id) => void (await client.publishAsync(topic(key), id, { qos: 1 })),
    close: () => client.endAsync(true),
  };
}

/** Reads a topic filter in a session that the broker keeps while this client is cut off. */
export async function mqttReader(
  url: string,
  { clientId, filter }: { readonly clientId: string; readonly filter: string },
  record: Recorder,
): Promise<Reader> {
  const client = await mqtt.connectAsync(url, {
    protocolVersion: 5,
    clientId,
    clean: false,
    reconnectPeriod: RECONNECT_MS,
    properties: { sessionExpiryInterval: 3600, receiveMaximum: 1000 },
  });
  client.on('error', () => undefined); // 'close' follows, and the next attempt
  client.on('message', (_topic, payload, packet) => record(payload.toString(), eventOf(packet), packet.dup));
  await client.subscribeAsync(filter, { qos: 1 });
  return { close: () => client.endAsync(true) };
}

function eventOf({ properties }: IPublishPacket): string | undefined {
  const id = properties?.userProperties?.['magpie-id'];
  return typeof id === 'string' ? id : undefined;
}

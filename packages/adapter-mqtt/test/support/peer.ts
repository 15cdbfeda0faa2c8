import { addressToText, textToAddress } from '@magpie/contract';
import type { AdapterPeer, PeerMessage } from '@magpie/testkit';
import { connectAsync, type IPublishPacket, type MqttClient } from 'mqtt';

/** Topics of one case. */
export interface PeerTopics {
  readonly source: string;
  readonly other: string;
  readonly target: string;
}

export interface MqttPeer extends AdapterPeer {
  readonly client: MqttClient;
  close(): Promise<void>;
}

/** A client of the broker written with MQTT.js alone, with a session that survives the broker. It reconnects by itself. */
export async function mqttPeer(url: string, topics: PeerTopics): Promise<MqttPeer> {
  const received: PeerMessage[] = [];
  const client = await connectAsync(url, {
    protocolVersion: 5,
    clientId: `peer-${topics.target.replaceAll('/', '-')}`,
    clean: false,
    reconnectPeriod: 50,
    properties: { sessionExpiryInterval: 3600 },
  });
  client.on('message', (_topic, body, packet) => received.push(fromWire(body, packet)));
  await client.subscribeAsync(topics.target, { qos: 1 });
  return {
    client,
    received: () => received,
    publish: async (message, to = 'source') => {
      await client.publishAsync(topics[to], Buffer.from(message.body), { qos: 1, properties: toWire(message) });
    },
    close: async () => {
      await client.endAsync(true);
    },
  };
}

/** Texts with control characters travel as base64, as the adapter's documentation says. */
const wireText = (text: string): string =>
  /\p{Cc}/u.test(text) ? `base64:${Buffer.from(text).toString('base64')}` : text;
const plainText = (text: string): string =>
  text.startsWith('base64:') ? Buffer.from(text.slice(7), 'base64').toString() : text;

function toWire(message: PeerMessage): NonNullable<IPublishPacket['properties']> {
  const headers = (message.headers ?? []).map(([name, value]) => [name, wireText(String(value))]);
  const { replyTo, trace } = message;
  const isTopic = replyTo?.scheme === 'topic';
  const pairs = [
    ...headers,
    ...(message.id === undefined ? [] : [['magpie-id', message.id]]),
    ...(message.via ? [['magpie-via', [...message.via]]] : []),
    ...Object.entries(trace ?? {}),
    ...(replyTo && !isTopic ? [['magpie-reply-to', addressToText(replyTo)]] : []),
  ];
  return {
    // The library drops the whole message, in silence, when the list is empty.
    ...(pairs.length > 0 && { userProperties: Object.fromEntries(pairs) }),
    ...(message.correlationId === undefined ? {} : { correlationData: Buffer.from(message.correlationId) }),
    ...(isTopic && { responseTopic: replyTo.segments.join('/') }),
    ...(message.contentType === undefined ? {} : { contentType: message.contentType }),
    ...(message.expiresAt === undefined
      ? {}
      : { messageExpiryInterval: Math.round((message.expiresAt - Date.now()) / 1000) }),
  };
}

function fromWire(body: Buffer, { properties = {} }: IPublishPacket): PeerMessage {
  const all = Object.entries(properties.userProperties ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, plainText(value)]),
  );
  const valuesOf = (wanted: string): string[] => all.filter(([name]) => name === wanted).map(([, value]) => value);
  const { correlationData, responseTopic, contentType, messageExpiryInterval } = properties;
  const [id, foreign, traceparent, tracestate] = ['magpie-id', 'magpie-reply-to', 'traceparent', 'tracestate'].map(
    (name) => valuesOf(name)[0],
  );
  const replyTo = textToAddress(responseTopic === undefined ? foreign : `topic:${responseTopic}`);
  return {
    body,
    headers: all.filter(([name]) => !name.startsWith('magpie-') && !name.startsWith('trace')),
    via: valuesOf('magpie-via'),
    ...(id === undefined ? {} : { id }),
    ...(correlationData === undefined ? {} : { correlationId: correlationData.toString() }),
    ...(replyTo && { replyTo }),
    ...(traceparent !== undefined && tracestate !== undefined && { trace: { traceparent, tracestate } }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(messageExpiryInterval === undefined ? {} : { expiresAt: Date.now() + messageExpiryInterval * 1000 }),
  };
}

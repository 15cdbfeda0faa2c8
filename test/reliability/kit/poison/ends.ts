import type { ProsodyBroker } from '@magpie/brokers';
import { waitFor } from '@magpie/testkit';
import { xml } from '@xmpp/client';
import amqp from 'amqplib';
import mqtt from 'mqtt';
import { login } from '../../../support/xmpp-side.ts';
import { machineStanza, readStanza } from '../../../support/xmpp-wire.ts';
import { archivedStanzas } from '../clients/archive.ts';
import type { Brokers } from '../clients/paths.ts';
import type { Poison } from './poison.ts';

/** Where poison comes in, and where it may come out. */
export const PLACES = {
  topicIn: 'poison/in',
  topicOut: 'poison/out',
  queuesIn: { mqtt: 'poison-to-mqtt', room: 'poison-to-room' },
  queueOut: 'poison',
  roomIn: 'poison-in@conference.localhost',
  roomOut: 'poison@conference.localhost',
} as const;

/** The account that speaks in the one room and reads the archive of the other. */
export const POISONER = { name: 'poisoner', password: 'poisoner-secret' } as const;

/** Something that came out at a target. */
export interface Arrival {
  readonly id: string;
  readonly body: Buffer;
  readonly address: string;
}

/** Sends one message; resolves to false when it was refused to the sender. */
export type PoisonSender = (id: string, poison: Poison, place: string) => Promise<boolean>;

/** Clients beside the gateway that send poison, and read what becomes of it. */
export interface PoisonEnds {
  readonly mqtt: PoisonSender;
  readonly amqp: PoisonSender;
  readonly room: PoisonSender;
  close(): Promise<void>;
}

/** Declares what the poison needs, connects, and tells everything that arrives. Called before the gateway is started. */
export async function poisonEnds(brokers: Required<Brokers>, arrived: (arrival: Arrival) => void): Promise<PoisonEnds> {
  const ends = [
    await mqttEnd(brokers.mosquitto.urls.plain, arrived),
    await amqpEnd(brokers.rabbitmq.urls.plain, arrived),
    await roomEnd(brokers.prosody),
  ] as const;
  const archive = archivedStanzas({ broker: brokers.prosody, room: PLACES.roomOut, user: POISONER }, (message) => {
    const read = readStanza(message);
    if (read) arrived({ id: read.id, body: read.body, address: PLACES.roomOut });
  });
  return {
    ...{ mqtt: ends[0].send, amqp: ends[1].send, room: ends[2].send },
    close: async () => void (await Promise.all([archive.close(), ...ends.map((end) => end.close())])),
  };
}

interface End {
  readonly send: PoisonSender;
  close(): Promise<unknown>;
}

async function mqttEnd(url: string, arrived: (arrival: Arrival) => void): Promise<End> {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
  client.on('message', (address, body, { properties }) => {
    arrived({ id: String(properties?.userProperties?.['magpie-id']), body, address });
  });
  await client.subscribeAsync(`${PLACES.topicOut}/#`, { qos: 1 });
  return {
    send: async (id, { body, contentType, headers = [], at = '' }, topic) => {
      const userProperties = Object.fromEntries([
        ...headers.map(([name, value]) => [name, String(value)]),
        ['magpie-id', id],
      ]);
      await client.publishAsync(topic + at, body, {
        qos: 1,
        properties: { userProperties, ...(contentType === undefined ? {} : { contentType }) },
      });
      return true;
    },
    close: () => client.endAsync(true),
  };
}

async function amqpEnd(url: string, arrived: (arrival: Arrival) => void): Promise<End> {
  const connection = await amqp.connect(url);
  const channel = await connection.createConfirmChannel();
  for (const queue of [...Object.values(PLACES.queuesIn), PLACES.queueOut]) await channel.assertQueue(queue);
  await channel.bindQueue(PLACES.queueOut, 'amq.topic', 'poison.#');
  await channel.bindQueue(PLACES.queuesIn.mqtt, 'amq.topic', 'in.#');
  await channel.consume(PLACES.queueOut, (message) => {
    if (!message) return;
    arrived({ id: String(message.properties.messageId), body: message.content, address: message.fields.routingKey });
    channel.ack(message);
  });
  return {
    send: (id, { body, contentType, headers = [], at }, queue) =>
      new Promise((resolve, reject) => {
        const options = {
          messageId: id,
          headers: Object.fromEntries(headers),
          ...(contentType ? { contentType } : {}),
        };
        const [exchange, key] = at === undefined ? ['', queue] : ['amq.topic', at];
        channel.publish(exchange, key, body, options, (error: unknown) =>
          error ? reject(new Error('nack', { cause: error })) : resolve(true),
        );
      }),
    close: () => connection.close(),
  };
}

async function roomEnd(broker: ProsodyBroker): Promise<End> {
  let joined = false;
  const client = await login(broker, POISONER.name, POISONER.password, (stanza) => {
    joined ||= stanza.is('presence') && stanza.attrs.from === `${PLACES.roomIn}/poisoner`;
  });
  const muc = xml('x', { xmlns: 'http://jabber.org/protocol/muc' }, xml('history', { maxstanzas: '0' }));
  await client.send(xml('presence', { to: `${PLACES.roomIn}/poisoner` }, muc));
  await waitFor(() => joined, { what: 'the poisoner in its room' });
  return {
    send: async (id, { body, contentType, headers }, room) => {
      const sent = { id, body, ...(headers ? { headers } : {}), ...(contentType === undefined ? {} : { contentType }) };
      await client.send(machineStanza(room, 'groupchat', sent));
      return true;
    },
    close: async () => client.stop(),
  };
}

/** Publishes by REST; false when the answer is that it will never be taken. */
export function httpPoison(url: () => string): PoisonSender {
  return async (id, { body, contentType, headers, ttl }, topic) => {
    const response = await fetch(`${url()}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topic, id, base64: body.toString('base64'), contentType, headers, ttl }),
    });
    await response.arrayBuffer();
    if (response.status === 202) return true;
    if (response.status >= 400 && response.status < 500) return false;
    throw new Error(`the API answered ${response.status} to ${id}`);
  };
}

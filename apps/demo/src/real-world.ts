import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { BrokerSet, BrokerUser } from '@magpie/brokers';
import { type Client, client, xml } from '@xmpp/client';
import amqp from 'amqplib';
import mqtt from 'mqtt';
import { createInbox } from './inbox.ts';
import type { Office, Person, Pump, World } from './players.ts';

const PASSWORD = 'magpie-secret';
const ROOM = 'ops@conference.localhost';
const CONTACT = 'pump-7@devices.localhost';

const GATEWAY = { name: 'magpie', password: PASSWORD };
const PERSON = { name: 'alice', password: PASSWORD };

/**
 * The logins that {@link realWorld} needs on its brokers. The gateway, the pump and the back office share the first.
 */
export const REAL_USERS: readonly [BrokerUser, BrokerUser] = [GATEWAY, PERSON];

/** The world of real brokers, wherever they run. Takes ownership of them: `stop` ends them. */
export function realWorld({ title, urls, ca, componentSecret, stop }: BrokerSet): World {
  const closers: Closers = [];
  return {
    title,
    configuration: fileURLToPath(new URL('../../gateway/examples/pump-room/magpie.yaml', import.meta.url)),
    env: {
      MQTT_URL: urls.mosquitto,
      MQTT_PASSWORD: PASSWORD,
      AMQP_URL: urls.rabbitmq,
      AMQP_PASSWORD: PASSWORD,
      XMPP_URL: urls.prosody,
      XMPP_CA: ca,
      XMPP_PASSWORD: PASSWORD,
      COMPONENT_URL: urls.component,
      COMPONENT_SECRET: componentSecret,
    },
    watched: [
      'floor topic:plant/pump-7/online',
      'floor topic:plant/pump-7/alarm',
      `chat room:${ROOM}`,
      'floor topic:plant/pump-7/state',
      'http topic:notices/hall-2',
      'floor topic:plant/pump-7/online',
    ],
    players: async () => {
      const pump = await startPump(urls.mosquitto, closers);
      const person = await startPerson(urls.prosody, ca, closers);
      return { pump, person, office: await startOffice(urls.rabbitmq, closers) };
    },
    stop: async () => {
      await Promise.allSettled(closers.map((close) => close()));
      await stop();
    },
  };
}

type Closers = (() => Promise<unknown>)[];

async function startPump(url: string, closers: Closers): Promise<Pump> {
  const login = { username: GATEWAY.name, password: PASSWORD };
  const device = await mqtt.connectAsync(url, { ...login, clientId: 'pump-7', protocolVersion: 5 });
  const commands = createInbox<unknown>();
  const display = createInbox<string>();
  device.on('message', (topic, body) => {
    if (topic.startsWith('display/')) display.put(body.toString());
    else commands.put(JSON.parse(body.toString()));
  });
  await device.subscribeAsync(['plant/pump-7/set', 'display/+'], { qos: 1 });
  closers.push(() => device.endAsync());
  const publish = async (topic: string, body: object): Promise<void> => {
    const properties = { contentType: 'application/json' };
    await device.publishAsync(topic, JSON.stringify(body), { qos: 1, properties });
  };
  return {
    raiseAlarm: (severity, text) => publish('plant/pump-7/alarm', { severity, text }),
    command: commands.take,
    report: (state) => publish('plant/pump-7/state', { state }),
    online: (online, text) => publish('plant/pump-7/online', { online, text }),
    display: display.take,
  };
}

async function startPerson(service: string, ca: string, closers: Closers): Promise<Person> {
  // The client library takes no certificate authority of its own.
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(ca, 'utf8')]);
  const chat = client({ service, domain: 'localhost', username: PERSON.name, password: PASSWORD });
  const heard = createInbox<string>();
  chat.on('error', () => undefined); // start() and the hops report the errors that matter
  const joined = createInbox<void>();
  const seen = createInbox<string>();
  chat.on('stanza', (stanza) => {
    if (stanza.is('presence') && stanza.attrs.from === `${ROOM}/alice`) joined.put();
    if (stanza.is('presence') && bareOf(stanza) === CONTACT) seen.put(presenceOf(stanza));
    const body = stanza.getChildText('body');
    if (stanza.is('message') && body && stanza.attrs.from === `${ROOM}/magpie`) heard.put(body);
  });
  await chat.start();
  await streamManaged(chat);
  closers.push(() => chat.stop());
  const history = xml('history', { maxstanzas: '0' });
  const join = xml('x', { xmlns: 'http://jabber.org/protocol/muc' }, history);
  await chat.send(xml('presence', { to: `${ROOM}/alice` }, join));
  await joined.take();
  return {
    say: (text) => chat.send(xml('message', { to: ROOM, type: 'groupchat' }, xml('body', {}, text))),
    hear: heard.take,
    contact: {
      add: async () => {
        await chat.send(xml('presence'));
        await cardOf(chat);
        await chat.send(xml('presence', { to: CONTACT, type: 'subscribe' }));
      },
      next: async (text) => {
        // A server may tell more than once how somebody is.
        let last = await seen.take();
        while (!last.endsWith(text)) last = await seen.take();
        return last;
      },
    },
  };
}

type Stanza = ReturnType<typeof xml>;

const bareOf = (stanza: Stanza): string => String(stanza.attrs.from).split('/')[0] ?? '';

const presenceOf = (stanza: Stanza): string =>
  `${stanza.attrs.type ?? 'available'} ${stanza.getChildText('status') ?? ''}`;

/** Resolves when there is such a contact: it comes into being with its first presence. */
async function cardOf(chat: Client): Promise<void> {
  for (;;) {
    const card = xml('iq', { type: 'get', to: CONTACT }, xml('vCard', { xmlns: 'vcard-temp' }));
    const found = await chat.iqCaller.request(card).catch(() => undefined);
    if (found) return;
    await sleep(SETTLE_MS);
  }
}

const SETTLE_MS = 10;
const SETTLE_TRIES = 200;

/** The library miscounts stanzas that arrive before stream management is on; the server would then end the stream. */
async function streamManaged({ streamManagement }: Client): Promise<void> {
  for (let tries = 0; tries < SETTLE_TRIES && !streamManagement.enabled; tries++) await sleep(SETTLE_MS);
}

async function startOffice(url: string, closers: Closers): Promise<Office> {
  const credentials = amqp.credentials.plain(GATEWAY.name, PASSWORD);
  const connection = await amqp.connect(url, { credentials });
  const channel = await connection.createChannel();
  const received = createInbox<{ key: string; body: string }>();
  await channel.consume('alarm-inbox', (message) => {
    if (!message) return;
    channel.ack(message);
    received.put({ key: message.fields.routingKey, body: message.content.toString() });
  });
  closers.push(() => connection.close());
  return { receive: received.take };
}

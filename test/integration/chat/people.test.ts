import { createAccount } from '@magpie/brokers';
import { type People, type Person, startPeople, unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayHome, gatewayHome } from '../../support/gateway-process.ts';

const shared = useSharedBrokers('mosquitto', 'prosody', 'ejabberd');
let people: People;
beforeAll(async () => {
  people = await startPeople();
});
afterAll(() => people.close());

describe.each(['prosody', 'ejabberd'] as const)('a person at a client of another library, on %s', (name) => {
  const bridge = unique('bridge');
  const topic = unique('floor');
  const room = `${unique('ops')}@conference.localhost`;
  const heard: Array<readonly [topic: string, text: string]> = [];
  let person: Person;
  let device: MqttClient;
  let home: GatewayHome;

  beforeAll(async () => {
    const server = shared[name];
    const account = unique('nadia');
    for (const each of [bridge, account]) await createAccount(server, each, `${each}-secret`);
    person = await people.login(server, account);
    await person.join(room, 'nadia', { configure: { 'muc#roomconfig_membersonly': true } });
    await person.affiliate(room, `${bridge}@localhost`, 'member');

    device = await mqtt.connectAsync(shared.mosquitto.urls.plain);
    device.on('message', (at, body) => heard.push([at, body.toString()]));
    await device.subscribeAsync(`${topic}/+/said`, { qos: 1 });

    home = await gatewayHome(JSON.stringify(configuration(`${account}@localhost`)));
    await home.start();
  });
  afterAll(async () => void (await Promise.all([home?.remove(), device?.endAsync()])));

  const configuration = (jid: string) => ({
    version: 1,
    gateway: { id: 'magpie' },
    http: { port: 0 },
    connections: {
      chat: {
        type: 'xmpp',
        jid: `${bridge}@localhost`,
        password: `${bridge}-secret`,
        url: shared[name].urls.plain,
        tls: { ca: shared[name].ca },
      },
      floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`, clientId: unique('floor') },
    },
    routes: {
      'chat-in': { from: { connection: 'chat', jid }, to: { connection: 'floor', topic: `${topic}/chat/said` } },
      'chat-out': { from: { connection: 'floor', topic: `${topic}/chat/answer` }, to: { connection: 'chat', jid } },
      'room-in': { from: { connection: 'chat', room }, to: { connection: 'floor', topic: `${topic}/room/said` } },
      'room-out': { from: { connection: 'floor', topic: `${topic}/room/answer` }, to: { connection: 'chat', room } },
    },
  });

  const hears = (place: string, text: string) =>
    waitFor(() => heard.some(([at, said]) => at === `${topic}/${place}/said` && said === text), {
      what: `"${text}" at the device; it has heard ${JSON.stringify(heard)}`,
    });

  it('talks to a device and gets its answer', async () => {
    await person.say(`${bridge}@localhost`, 'Pumpe an 👋 <&>');
    await hears('chat', 'Pumpe an 👋 <&>');
    await device.publishAsync(`${topic}/chat/answer`, 'läuft', { qos: 1 });
    const answer = await person.message(({ body }) => body === 'läuft');
    expect(answer.from).toContain(`${bridge}@localhost/`);
    expect(answer.type).toBe('chat');
  });

  it('talks to it in a room for members only', async () => {
    await person.presence(({ from, type }) => from === `${room}/magpie` && type === 'available');
    await person.sayIn(room, 'status?');
    await hears('room', 'status?');
    await device.publishAsync(`${topic}/room/answer`, '42 °C', { qos: 1 });
    const answer = await person.message(({ body }) => body === '42 °C');
    expect(answer).toMatchObject({ from: `${room}/magpie`, type: 'groupchat' });
  });
});

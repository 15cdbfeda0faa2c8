import { createAccount, startEjabberd, startProsody, type XmppServer } from '@magpie/brokers';
import { type People, type Person, startPeople, unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayHome, type GatewayProcess, gatewayHome } from '../../support/gateway-process.ts';

const shared = useSharedBrokers('mosquitto');
let people: People;
beforeAll(async () => {
  people = await startPeople();
});
afterAll(() => people.close());

const SERVERS = { prosody: startProsody, ejabberd: startEjabberd };
/** Ids whose order is not that of the alphabet. */
const MEANWHILE = ['z', 'm', 'y', 'a'];
const DOMAIN = 'devices.localhost';
const PUBSUB = 'http://jabber.org/protocol/pubsub';

describe.each(['prosody', 'ejabberd'] as const)('nodes of publish-subscribe on %s', (name) => {
  const plant = unique('plant');
  const heard: string[] = [];
  let server: XmppServer;
  let nadia: Person;
  let device: MqttClient;
  let home: GatewayHome;
  let gateway: GatewayProcess;

  const configuration = () => {
    const node = (each: string) => ({ connection: 'chat', node: each, service: server.nodes });
    const topic = (each: string) => ({ connection: 'floor', topic: `${plant}/${each}` });
    return {
      version: 1,
      gateway: { id: 'magpie' },
      http: { port: 0 },
      connections: {
        chat: {
          type: 'xmpp',
          jid: 'bridge@localhost',
          password: 'bridge-secret',
          url: server.urls.plain,
          tls: { ca: server.ca },
        },
        devices: {
          ...{ type: 'xmpp', mode: 'component', domain: DOMAIN, secret: server.componentSecret },
          url: server.urls.component,
        },
        floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`, clientId: unique('floor') },
      },
      routes: {
        alarms: { from: node('plant/alarms'), to: topic('alarms') },
        'device-alarms': { from: { ...node('plant/alarms'), connection: 'devices' }, to: topic('device-alarms') },
        gaps: { from: { ...node('plant/alarms'), kind: 'status' }, to: topic('gaps') },
        levels: {
          from: { connection: 'floor', topic: `${plant}/{device}/level` },
          to: { ...node('levels'), item: '${device}' },
        },
        mistyped: { from: { connection: 'floor', topic: `${plant}/mistyped` }, to: node('mistyped') },
      },
    };
  };

  const ask = (type: 'get' | 'set', child: string, to = server.nodes) => nadia.iq(type, child, to);
  const pubsub = (child: string) => `<pubsub xmlns="${PUBSUB}">${child}</pubsub>`;
  const publish = (node: string, id: string, payload: string) =>
    ask('set', pubsub(`<publish node="${node}"><item id="${id}">${payload}</item></publish>`));
  const alarm = (id: string, text: string) =>
    publish('plant/alarms', id, `<json xmlns="urn:xmpp:json:0">"${text}"</json>`);
  const hears = (line: string) =>
    waitFor(() => heard.includes(line), { what: `${line}; heard ${JSON.stringify(heard)}` });
  const of = (topic: string) =>
    heard.filter((line) => line.startsWith(`${topic} `)).map((line) => line.slice(topic.length + 1));
  const details = async () => JSON.stringify(await (await fetch(`${gateway.url}/v1/connections`)).json());

  beforeAll(async () => {
    server = await SERVERS[name]({ nodeOwners: ['nadia', 'bridge'], components: [DOMAIN] });
    for (const each of ['bridge', 'nadia', 'mallory']) await createAccount(server, each, `${each}-secret`);
    nadia = await people.login(server, 'nadia');
    for (const node of ['plant/alarms', 'levels']) {
      const field = (key: string, value: string) => `<field var="pubsub#${key}"><value>${value}</value></field>`;
      const form = `<x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE" type="hidden"><value>${PUBSUB}#node_config</value></field>${field('publish_model', 'open')}${field('max_items', '20')}</x>`;
      await ask('set', pubsub(`<create node="${node}"/><configure>${form}</configure>`));
    }
    device = await mqtt.connectAsync(shared.mosquitto.urls.plain);
    device.on('message', (topic, body) => heard.push(`${topic.slice(plant.length + 1)} ${body.toString()}`));
    await device.subscribeAsync(
      ['alarms', 'device-alarms', 'gaps'].map((each) => `${plant}/${each}`),
      { qos: 1 },
    );
    home = await gatewayHome(JSON.stringify(configuration()));
    gateway = await home.start();
  });
  afterAll(async () => {
    await Promise.all([home?.remove(), device?.endAsync()]);
    await server?.stop();
  });

  it('are subscribed to, and bring what another client publishes, which nobody can pretend', async () => {
    const subscriptions = async () => (await details()).split('"subscribed"').length - 1;
    await waitFor(async () => (await subscriptions()) === 2, { what: 'the subscriptions of account and component' });
    const mallory = await people.login(server, 'mallory');
    const item = '<item id="x"><json xmlns="urn:xmpp:json:0">"forged"</json></item>';
    const event = `<event xmlns="${PUBSUB}#event"><items node="plant/alarms">${item}</items></event>`;
    await mallory.raw(`<message to="bridge@localhost" type="headline">${event}</message>`);
    await mallory.ping('bridge@localhost').catch(() => undefined);
    await alarm('1', 'hot');
    await alarm('2', 'hotter');
    await hears('alarms "hotter"');
    expect(of('alarms')).toEqual(['"hot"', '"hotter"']);
  });

  it('take what a route publishes, and the last of each device stays', async () => {
    await device.publishAsync(`${plant}/pump/level`, '[1]', { qos: 1 });
    await device.publishAsync(`${plant}/pump/level`, '[2]', { qos: 1 });
    await waitFor(async () => (await ask('get', pubsub('<items node="levels"/>'))).includes('[2]'), {
      what: 'the level',
    });
    const items = await ask('get', pubsub('<items node="levels"/>'));
    expect(items.match(/<(\w+:)?item /g)).toHaveLength(1);
  });

  it('bring what was published while the gateway was away, once and in order', async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await gateway.kill();
    for (const each of MEANWHILE) await alarm(each, `meanwhile ${each}`);
    gateway = await home.start();
    await hears('alarms "meanwhile a"');
    await alarm('7', 'live again');
    await hears('alarms "live again"');
    expect(of('alarms').slice(2)).toEqual([...MEANWHILE.map((each) => `"meanwhile ${each}"`), '"live again"']);
    expect(of('gaps')).toEqual([]);
    await hears('device-alarms "live again"');
    expect(of('device-alarms')).toEqual(of('alarms'));
  });

  it('are not made by publishing to a mistyped one', async () => {
    await device.publishAsync(`${plant}/mistyped`, 'lost?', { qos: 1 });
    await waitFor(() => gateway.logs().includes('does not exist'), { what: 'the reason in the log' });
    await expect(
      ask('get', `<query xmlns="http://jabber.org/protocol/disco#info" node="mistyped"/>`),
    ).rejects.toMatchObject({ condition: 'item-not-found' });
  });
});

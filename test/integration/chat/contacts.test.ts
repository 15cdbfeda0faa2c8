import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAccount, startEjabberd, startProsody, type XmppServer } from '@magpie/brokers';
import { type People, type Person, startPeople, unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayHome, type GatewayProcess, gatewayHome } from '../../support/gateway-process.ts';

const shared = useSharedBrokers('mosquitto');
let people: People;
beforeAll(async () => {
  people = await startPeople();
});
afterAll(() => people.close());

const DOMAIN = 'devices.localhost';
const PNG = Buffer.from('89504e470d0a1a0a0102', 'hex');
const SERVERS = { prosody: startProsody, ejabberd: startEjabberd };

describe.each(['prosody', 'ejabberd'] as const)('devices as contacts, on %s', (name) => {
  const plant = unique('plant');
  const pump = `pump\\207@${DOMAIN}`;
  const client = `${pump}/magpie`;
  const heard: Array<readonly [topic: string, text: string]> = [];
  let server: XmppServer;
  let person: Person;
  let device: MqttClient;
  let home: GatewayHome;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    server = await SERVERS[name]({ components: [DOMAIN] });
    for (const each of ['nadia', 'mallory']) await createAccount(server, each, `${each}-secret`);
    person = await people.login(server, 'nadia', { accept: true });
    device = await mqtt.connectAsync(shared.mosquitto.urls.plain, { protocolVersion: 5 });
    device.on('message', (topic, body) => heard.push([topic, body.toString()]));
    await device.subscribeAsync(`${plant}/#`, { qos: 1 });
    home = await gatewayHome(JSON.stringify(configuration()));
    await writeFile(join(home.directory, 'pump.png'), PNG);
    gateway = await home.start();
  });
  afterAll(async () => {
    await Promise.all([home?.remove(), device?.endAsync()]);
    await server?.stop();
  });

  const configuration = () => ({
    version: 1,
    gateway: { id: 'magpie' },
    http: { port: 0 },
    connections: {
      people: {
        type: 'xmpp',
        mode: 'component',
        domain: DOMAIN,
        secret: server.componentSecret,
        url: server.urls.component,
        contacts: {
          allow: ['nadia@localhost'],
          cards: [{ contact: 'Pump {number}', name: 'Pump No. {number}', groups: ['Plant'], photo: './pump.png' }],
        },
      },
      floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`, clientId: unique('floor') },
    },
    routes: {
      online: {
        from: { connection: 'floor', topic: `${plant}/{device}/status` },
        to: {
          connection: 'people',
          contact: '${device}',
          presence: { available: '${payload.online}', show: '${payload.show}', status: '${payload.words}' },
        },
      },
      commands: {
        from: { connection: 'people', contact: '{device}', text: 'set {level}' },
        allow: ['*@localhost'],
        to: { connection: 'floor', topic: `${plant}/\${device}/set`, text: '${level}' },
      },
      asks: {
        from: { connection: 'people', contact: '{device}', text: 'level?' },
        allow: ['*@localhost'],
        to: { connection: 'floor', topic: `${plant}/\${device}/get` },
        reply: { from: { topic: `${plant}/answers` }, timeout: '20s', text: 'level ${reply.text}' },
      },
      answers: {
        from: { connection: 'floor', topic: `${plant}/{device}/said/{user}` },
        to: { connection: 'people', jid: '${user}@localhost', from: '${device}' },
      },
      colleagues: {
        from: { connection: 'people', jid: '{user}@localhost', kind: 'presence' },
        to: { connection: 'floor', topic: `${plant}/people/\${user}`, text: '${payload.available} ${event.type}' },
      },
    },
  });

  const status = (online: boolean, show: string, words: string): Promise<unknown> =>
    device.publishAsync(`${plant}/Pump 7/status`, JSON.stringify({ online, show, words }), { qos: 1 });
  const hears = (topic: string, text: string) =>
    waitFor(() => heard.some(([at, said]) => at === `${plant}/${topic}` && said === text), {
      what: `"${text}" at ${topic}; heard ${JSON.stringify(heard)}`,
    });
  const known = () => person.presences.length;
  const sees = (from: number, words: string, type = 'available') =>
    waitFor(
      () =>
        person.presences
          .slice(from)
          .some((each) => each.from === client && each.type === type && (each.status ?? '') === words),
      {
        what: `"${words}" of the pump; saw ${JSON.stringify(person.presences.slice(from).map(({ xml }) => xml))}`,
      },
    );

  it('shows a device to whom may have it in the list, as its status says', async () => {
    await status(true, 'away', 'filling up');
    await waitFor(async () => (await person.vcard(pump).catch(() => undefined))?.name === 'Pump No. 7', {
      what: 'its card',
    });
    await person.subscribe(pump);
    await person.presence(({ from, type }) => from === pump && type === 'subscribed');
    await sees(0, 'filling up');
    const subscription = async () => (await person.roster()).find(({ jid }) => jid === pump)?.subscription;
    await waitFor(async () => (await subscription()) === 'both', { what: 'a subscription both ways' });
    const before = known();
    await status(true, '', 'running');
    await sees(before, 'running');
  });

  it('has a name, groups, a picture and capabilities that its client can check', async () => {
    const { xml } = await person.vcard(pump);
    expect(xml).toContain(`<BINVAL>${PNG.toString('base64')}</BINVAL>`);
    const sha1 = createHash('sha1').update(PNG).digest('hex');
    const shown = await person.presence(({ from, type }) => from === client && type === 'available');
    expect(shown.xml).toContain(`<photo>${sha1}</photo>`);
    const caps = /<c [^>]*>/.exec(shown.xml)?.[0] ?? '';
    const [node, ver] = ['node', 'ver'].map((name) => new RegExp(` ${name}="([^"]+)"`).exec(caps)?.[1]);
    for (const asked of [undefined, `${node}#${ver}`]) {
      const info = await person.disco(client, asked);
      expect(info.caps, 'the hash as slixmpp makes it of what the contact answers').toBe(ver);
      expect(info.identities[0]).toMatchObject({ category: 'client', type: 'bot' });
    }
    const request = await person.presence(({ from, type }) => from === pump && type === 'subscribe');
    expect(request.xml).toContain('>Pump No. 7</nick>');
    const proposal = await person.message(({ from }) => from === pump);
    expect(proposal.xml).toContain('name="Pump No. 7"');
    expect(proposal.xml).toContain('<group>Plant</group>');
    const node84 = 'urn:xmpp:avatar:data';
    const avatar = await person.iq(
      'get',
      `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='${node84}'/></pubsub>`,
      pump,
    );
    expect(avatar).toContain(PNG.toString('base64'));
  });

  it('tells the device who is there', async () => {
    await hears('people/nadia', 'true available');
  });

  it('carries a command to the device, and what it says back', async () => {
    await person.say(pump, 'set 42');
    await hears('Pump 7/set', '42');
    await device.publishAsync(`${plant}/Pump 7/said/nadia`, 'is 42', { qos: 1 });
    const answer = await person.message(({ body }) => body === 'is 42');
    expect(answer.from).toBe(pump);
  });

  it('asks the device, and answers for it in the same conversation', async () => {
    const asked = new Promise<IPublishPacket>((resolve) =>
      device.on('message', (topic, _, packet) => {
        if (topic === `${plant}/Pump 7/get`) resolve(packet);
      }),
    );
    await person.say(pump, 'level?', { thread: 'levels' });
    const { responseTopic = '', correlationData } = (await asked).properties ?? {};
    await device.publishAsync(responseTopic, '43', { qos: 1, properties: { correlationData: correlationData! } });
    const answer = await person.message(({ body }) => body === 'level 43');
    expect(answer).toMatchObject({ from: pump, to: person.jid, thread: 'levels' });
  });

  it('shows it again after the gateway was killed, and that it is gone when the gateway stops', async () => {
    const before = known();
    await gateway.kill();
    gateway = await home.start();
    await sees(before, 'running');
    const then = known();
    await gateway.terminate();
    await sees(then, '', 'unavailable');
    gateway = await home.start();
  });

  it('refuses whom it does not know', async () => {
    const stranger = await people.login(server, 'mallory');
    await stranger.subscribe(pump);
    await stranger.presence(({ from, type }) => from === pump && type === 'unsubscribed');
    await stranger.show({ to: pump, type: 'probe' });
    await stranger.ping('localhost');
    expect(stranger.presences.filter(({ from, type }) => from === client && type === 'available')).toEqual([]);
  });

  it('forgets who removes it', async () => {
    const asked = known();
    await person.forget(pump);
    await sees(asked, '', 'unavailable');
    const before = known();
    await status(true, '', 'nobody sees this');
    await status(false, '', '');
    await person.ping('localhost');
    expect(person.presences.slice(before).filter(({ from, type }) => from === client && type === 'available')).toEqual(
      [],
    );
  });
});

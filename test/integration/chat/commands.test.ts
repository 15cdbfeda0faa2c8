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
const NODE = 'http://jabber.org/protocol/commands';
const SERVERS = { prosody: startProsody, ejabberd: startEjabberd };
const SCHEMA = {
  type: 'object',
  title: 'Set the level',
  description: 'How full the tank is kept.',
  properties: {
    level: { type: 'integer', title: 'Level', minimum: 0, maximum: 100, default: 50 },
    mode: { enum: ['auto', 'manual'], default: 'auto' },
    quiet: { type: 'boolean', default: false },
    note: { type: 'string', format: 'textarea' },
  },
  required: ['level'],
};

describe.each(['prosody', 'ejabberd'] as const)('commands with forms, on %s', (name) => {
  const plant = unique('plant');
  const pump = `pump\\207@${DOMAIN}`;
  const client = `${pump}/magpie`;
  const heard: IPublishPacket[] = [];
  let server: XmppServer;
  let person: Person;
  let stranger: Person;
  let device: MqttClient;
  let home: GatewayHome;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    server = await SERVERS[name]({ components: [DOMAIN] });
    for (const each of ['clara', 'mallory', 'robot']) await createAccount(server, each, `${each}-secret`);
    person = await people.login(server, 'clara', { accept: true });
    stranger = await people.login(server, 'mallory');
    device = await mqtt.connectAsync(shared.mosquitto.urls.plain, { protocolVersion: 5 });
    device.on('message', (_topic, _body, packet) => heard.push(packet));
    await device.subscribeAsync(`${plant}/#`, { qos: 1 });
    home = await gatewayHome(JSON.stringify(configuration()));
    await writeFile(join(home.directory, 'level.json'), JSON.stringify(SCHEMA));
    gateway = await home.start();
    await device.publishAsync(`${plant}/Pump 7/status`, 'on', { qos: 1 });
    await waitFor(async () => (await person.vcard(pump).catch(() => undefined))?.name === 'Pump 7', {
      what: 'a contact',
    });
    await person.subscribe(pump);
    await person.presence(({ from, type }) => from === client && type === 'available');
    await person.subscribe('robot@localhost');
    await person.presence(({ from, type }) => from?.startsWith('robot@localhost/') === true && type === 'available');
  });
  afterAll(async () => {
    await Promise.all([home?.remove(), device?.endAsync()]);
    await server?.stop();
  });

  const level = (rest: object) => ({
    payloadSchema: './level.json',
    allow: ['clara@localhost'],
    to: { connection: 'floor', topic: `${plant}/\${device}/level` },
    reply: { from: { topic: `${plant}/answers` }, timeout: '20s', ...rest },
  });

  const configuration = () => ({
    version: 1,
    gateway: { id: 'magpie' },
    http: { port: 0 },
    connections: {
      people: {
        ...{ type: 'xmpp', mode: 'component', domain: DOMAIN, secret: server.componentSecret },
        url: server.urls.component,
        contacts: { allow: ['*@localhost'] },
      },
      robot: {
        ...{ type: 'xmpp', jid: 'robot@localhost', password: 'robot-secret' },
        url: server.urls.plain,
        tls: { ca: server.ca },
        contacts: { allow: ['*@localhost'] },
      },
      floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`, clientId: unique('floor') },
    },
    routes: {
      online: {
        from: { connection: 'floor', topic: `${plant}/{device}/status` },
        to: { connection: 'people', contact: '${device}', presence: { available: true } },
      },
      level: { from: { connection: 'people', contact: '{device}', command: 'set-level' }, ...level({}) },
      slow: {
        from: { connection: 'people', contact: '{device}', command: 'slow', title: 'Ask slowly' },
        ...level({ timeout: '500ms', onTimeout: 'no word from ${device}' }),
      },
      stop: {
        from: { connection: 'people', contact: '{device}', command: 'stop', title: 'Emergency stop' },
        allow: ['clara@localhost'],
        to: { connection: 'floor', topic: `${plant}/\${device}/stop`, text: '${origin.command} by ${origin.from}' },
      },
      said: {
        from: { connection: 'people', contact: '{device}' },
        to: { connection: 'floor', topic: `${plant}/said` },
      },
      own: { from: { connection: 'robot', contact: '{device}', command: 'set-level' }, ...level({}) },
    },
  });

  const packet = (topic: string, from: number) =>
    waitFor(
      () => {
        const found = heard.slice(from).find((each) => each.topic === `${plant}/${topic}`);
        if (!found) throw new Error(`heard ${heard.slice(from).map((each) => each.topic)}`);
        return found;
      },
      { what: `something at ${topic}` },
    );

  /** Answers the next request at a topic with a text. */
  const answered = async (topic: string, text: string): Promise<string> => {
    const { payload, properties } = await packet(topic, heard.length);
    const { responseTopic = '', correlationData = Buffer.alloc(0) } = properties ?? {};
    await device.publishAsync(responseTopic, text, { qos: 1, properties: { correlationData } });
    return payload.toString();
  };

  it('lists the commands for whom may run them, and their names for nobody else', async () => {
    const names = async (who: Person, jid: string) =>
      (await who.items(jid, NODE)).map((item) => [item.node, item.name]).sort();
    const all = [
      ['set-level', 'Set the level'],
      ['slow', 'Ask slowly'],
      ['stop', 'Emergency stop'],
    ];
    expect(await names(person, client)).toEqual(all);
    expect(await names(person, pump)).toEqual(all);
    expect(await names(stranger, client)).toEqual([]);
    expect((await person.disco(client)).features).toContain(NODE);
    const { identities, features } = await person.disco(client, 'set-level');
    expect(identities[0]).toMatchObject({ category: 'automation', type: 'command-node', name: 'Set the level' });
    expect(features).toContain('jabber:x:data');
  });

  it.each([
    ['at its client', client],
    ['at its bare address', pump],
  ])('shows a form %s, refuses what is wrong in words, and ends with what the device says', async (_, jid) => {
    const first = await person.command(jid, 'set-level');
    expect(first).toMatchObject({ status: 'executing', actions: ['complete'] });
    expect(first.form).toMatchObject({
      type: 'form',
      title: 'Set the level',
      instructions: 'How full the tank is kept.',
    });
    expect(first.form?.fields.map(({ var: field, type, values, required }) => [field, type, values, required])).toEqual(
      [
        ['level', 'text-single', ['50'], true],
        ['mode', 'list-single', ['auto'], false],
        ['quiet', 'boolean', ['0'], false],
        ['note', 'text-multi', [], false],
      ],
    );
    const go = { action: 'complete', session: first.session };
    const wrong = await person.command(jid, 'set-level', { ...go, fields: { level: 500 } });
    expect(wrong.status).toBe('executing');
    expect(wrong.notes).toEqual([{ type: 'error', text: 'Level: expected a number of at most 100, got 500' }]);
    const [done, asked] = await Promise.all([
      person.command(jid, 'set-level', { ...go, fields: { level: 42, note: 'for the night' } }),
      answered('Pump 7/level', '{"level":42,"state":"running"}'),
    ]);
    expect(JSON.parse(asked)).toEqual({ level: 42, mode: 'auto', quiet: false, note: 'for the night' });
    expect(done).toMatchObject({ status: 'completed', notes: [{ type: 'info', text: 'Done.' }] });
    expect(done.form?.type).toBe('result');
    expect(done.form?.fields.map(({ var: field, values }) => [field, values])).toEqual([
      ['level', ['42']],
      ['state', ['running']],
    ]);
  });

  it('says that nothing has come in time', async () => {
    const { session } = await person.command(client, 'slow');
    const done = await person.command(client, 'slow', { session, action: 'complete', fields: {} });
    expect(done).toMatchObject({ status: 'completed', notes: [{ type: 'error', text: 'no word from Pump 7' }] });
  });

  it('runs a command without a form at once, and is done when it is stored', async () => {
    const from = heard.length;
    const done = await person.command(client, 'stop');
    expect(done).toMatchObject({ status: 'completed', notes: [{ type: 'info', text: 'Done.' }] });
    expect((await packet('Pump 7/stop', from)).payload.toString()).toBe(`stop by ${person.jid}`);
  });

  it('goes on with a session for nobody but whoever began it, and ends it when that is wanted', async () => {
    const { session } = await person.command(client, 'set-level');
    const stolen = stranger.command(client, 'set-level', { session, action: 'complete', fields: { level: 1 } });
    await expect(stolen).rejects.toMatchObject({ condition: 'forbidden' });
    const canceled = await person.command(client, 'set-level', { session, action: 'cancel' });
    expect(canceled.status).toBe('canceled');
    const again = person.command(client, 'set-level', { session, action: 'complete', fields: { level: 1 } });
    await expect(again).rejects.toMatchObject({ condition: 'bad-request' });
  });

  it('refuses strangers and what does not exist, and never takes a command out of a message', async () => {
    const from = heard.length;
    await expect(stranger.command(client, 'stop')).rejects.toMatchObject({ condition: 'forbidden' });
    await expect(person.command(client, 'explode')).rejects.toMatchObject({ condition: 'item-not-found' });
    await expect(person.command(`ghost@${DOMAIN}`, 'stop')).rejects.toMatchObject({ condition: 'item-not-found' });
    const command = `<command xmlns='${NODE}' node='stop' action='execute'/>`;
    await expect(person.iq('get', command, client)).rejects.toMatchObject({ condition: 'bad-request' });
    const delayed = `${command}<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>`;
    await person.raw(`<iq type='set' id='late' to='${client}'>${delayed}</iq>`);
    await person.raw(`<iq type='result' id='forged' to='${client}'>${command}</iq>`);
    await person.say(client, 'stop', { xml: command });
    expect((await packet('said', from)).payload.toString()).toBe('stop');
    await person.ping('localhost');
    expect(heard.slice(from).filter(({ topic }) => topic.endsWith('/stop'))).toEqual([]);
  });

  it('works for an account of its own as well', async () => {
    const own = person.presences.find(({ from, type }) => from?.startsWith('robot@localhost/') && type === 'available');
    const jid = own?.from ?? '';
    expect((await person.items(jid, NODE)).map(({ node }) => node)).toEqual(['set-level']);
    await expect(stranger.command(jid, 'set-level')).rejects.toMatchObject({ condition: 'forbidden' });
    const { session } = await person.command(jid, 'set-level');
    const [done] = await Promise.all([
      person.command(jid, 'set-level', { session, action: 'complete', fields: { level: 7, mode: 'manual' } }),
      answered('robot/level', 'at 7'),
    ]);
    expect(done).toMatchObject({ status: 'completed', notes: [{ type: 'info', text: 'at 7' }] });
  });

  it('says in a message what is answered after the gateway was killed', async () => {
    const { session } = await person.command(client, 'set-level');
    const from = heard.length;
    // Nobody answers this step any more; the client gives up after a while.
    person.command(client, 'set-level', { session, action: 'complete', fields: { level: 3 } }).catch(() => undefined);
    const { properties } = await packet('Pump 7/level', from);
    await gateway.kill();
    gateway = await home.start();
    const { responseTopic = '', correlationData = Buffer.alloc(0) } = properties ?? {};
    await device.publishAsync(responseTopic, 'at 3', { qos: 1, properties: { correlationData } });
    const answer = await person.message(({ body }) => body === 'at 3');
    expect(answer).toMatchObject({ from: pump, to: person.jid });
  });
});

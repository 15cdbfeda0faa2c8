import { randomBytes } from 'node:crypto';
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
const STANZA_LIMIT = 64 * 1024;
const COMMANDS = 15;

/** A picture that no compression helps: what counts is that each byte arrives. */
const picture = (size: number): Buffer =>
  Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), randomBytes(size)]);

describe.each(['prosody', 'ejabberd'] as const)('files, on %s', (name) => {
  const plant = unique('plant');
  const room = `${unique('ops')}@conference.localhost`;
  const album = `${unique('album')}@conference.localhost`;
  const heard: string[] = [];
  const shown: Buffer[] = [];
  let server: XmppServer;
  let nadia: Person;
  let device: MqttClient;
  let home: GatewayHome;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    server = await SERVERS[name]({ stanzaSizeLimit: STANZA_LIMIT });
    for (const each of ['bridge', 'poor', 'nadia']) await createAccount(server, each, `${each}-secret`);
    nadia = await people.login(server, 'nadia');
    for (const each of [room, album]) await nadia.join(each, 'nadia');
    device = await mqtt.connectAsync(shared.mosquitto.urls.plain, { protocolVersion: 5 });
    device.on('message', (topic, body) => {
      if (topic.startsWith(`${plant}/album/`)) shown.push(body);
      else heard.push(`${topic.slice(plant.length + 1)} ${body.toString()}`);
    });
    await device.subscribeAsync(`${plant}/album/#`, { qos: 1 });
    await device.subscribeAsync(`${plant}/pumps/#`, { qos: 1 });
    home = await gatewayHome(JSON.stringify(configuration()));
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
      chat: {
        type: 'xmpp',
        jid: 'bridge@localhost',
        password: 'bridge-secret',
        url: server.urls.plain,
        tls: { ca: server.ca },
        rooms: [{ room }],
        maxStanzaBytes: '64KiB',
      },
      poor: {
        ...{ type: 'xmpp', jid: 'poor@localhost', password: 'poor-secret' },
        ...{ url: server.urls.plain, tls: { ca: server.ca }, maxStanzaBytes: '64KiB' },
        uploadService: 'conference.localhost', // It takes no files.
      },
      floor: {
        type: 'mqtt',
        url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`,
        clientId: unique('floor'),
        version: 5,
      },
    },
    routes: {
      pictures: {
        from: { connection: 'floor', topic: `${plant}/camera/{camera}` },
        to: { connection: 'chat', room },
      },
      inline: {
        from: { connection: 'floor', topic: `${plant}/inline/{camera}` },
        to: { connection: 'chat', room, upload: 'never' },
      },
      poor: {
        from: { connection: 'floor', topic: `${plant}/poor/{camera}` },
        to: { connection: 'poor', jid: 'nadia@localhost' },
      },
      shown: {
        from: { connection: 'chat', room: album, fetch: { allow: ['127.0.0.1'], mediaTypes: ['image/*'] } },
        when: 'has(origin.file)',
        to: { connection: 'floor', topic: `${plant}/album/\${origin.nick}` },
      },
      guarded: {
        from: { connection: 'chat', jid: 'nadia@localhost', fetch: {} },
        to: {
          connection: 'floor',
          topic: `${plant}/pumps/guarded`,
          text: "${text} ${origin.file.?problem.orValue('')}",
        },
      },
      commands: {
        from: { connection: 'chat', room, text: '!{pump} {state}' },
        allow: ['owner', 'member', 'none'],
        to: { connection: 'floor', topic: `${plant}/pumps/\${pump}`, text: '${state}' },
      },
    },
  });

  const publish = (topic: string, body: Buffer, contentType: string): Promise<unknown> =>
    device.publishAsync(`${plant}/${topic}`, body, { qos: 1, properties: { contentType } });
  const fetched = async (url: string | null): Promise<Buffer> => {
    const response = await fetch(url ?? '');
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  };

  it('come as uploads that anybody can fetch, while every command that is said meanwhile runs', async () => {
    const pictures = [picture(60_000), picture(200_000)];
    const published = pictures.map((each, index) => publish(`camera/gate-${index}`, each, 'image/png'));
    for (let index = 0; index < COMMANDS; index += 1) await nadia.sayIn(room, `!pump-${index} on`);
    await Promise.all(published);
    await waitFor(() => heard.length >= COMMANDS, { what: `${COMMANDS} commands; heard ${heard.length}` });
    expect(heard.toSorted()).toEqual(
      Array.from({ length: COMMANDS }, (_, index) => `pumps/pump-${index} on`).toSorted(),
    );
    await waitFor(() => nadia.messages.filter(({ url }) => url !== null).length === pictures.length, {
      what: 'two links',
    });
    const links = nadia.messages.filter(({ url }) => url !== null);
    // What makes a client show the picture instead of the link.
    for (const { url, body, xml } of links) {
      expect(body).toBe(url);
      expect(url).toMatch(/\.png$/);
      expect(xml).toMatch(/<media-type>image\/png<\/media-type>/);
    }
    const bytes = await Promise.all(links.map(({ url }) => fetched(url)));
    const sizes = (files: readonly Buffer[]): readonly string[] => files.map((each) => each.toString('hex')).toSorted();
    expect(sizes(bytes)).toEqual(sizes(pictures));
  });

  it('stay in the message where a route says so', async () => {
    const small = picture(9_000);
    await publish('inline/gate', small, 'image/png');
    const message = await nadia.message(({ xml }) => xml.includes(small.toString('base64')));
    expect(message.url).toBeNull();
  });

  it('that people show are fetched where a route says so, from where it allows', async () => {
    const content = picture(30_000);
    const file = { name: 'pump.png', type: 'image/png', content };
    const { get, status } = await nadia.upload(server.uploads, file);
    expect(status).toBe(201);
    const xml = `<x xmlns='jabber:x:oob'><url>${get}</url></x>`;
    await nadia.sayIn(album, get, { xml });
    await waitFor(() => shown.length === 1, { what: 'the picture' });
    expect(shown[0]?.equals(content)).toBe(true);
    await nadia.say('bridge@localhost', get, { xml });
    const refused = `pumps/guarded ${get} 127.0.0.1 is not an address of the public Internet`;
    await waitFor(() => heard.includes(refused), { what: `"${refused}"; heard ${heard.slice(COMMANDS)}` });
  });

  it('are one dead letter where nobody takes them and no stanza holds them', async () => {
    const small = picture(9_000);
    await publish('poor/gate', picture(60_000), 'image/png');
    await publish('poor/gate', small, 'image/png');
    await nadia.message(
      ({ from, xml }) => from?.startsWith('poor@') === true && xml.includes(small.toString('base64')),
    );
    const { deadLetters } = (await (await fetch(`${gateway.url}/v1/dead-letters`)).json()) as {
      deadLetters: readonly unknown[];
    };
    expect(deadLetters).toHaveLength(1);
    expect(JSON.stringify(deadLetters)).toMatch(
      /a stanza of \d+ bytes, more than maxStanzaBytes \(65536\).*the server has no upload service/,
    );
  });
});

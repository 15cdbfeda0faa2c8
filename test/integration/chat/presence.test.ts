import { createAccount } from '@magpie/brokers';
import { type People, type Person, startPeople, unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayHome, type GatewayProcess, gatewayHome } from '../../support/gateway-process.ts';

const shared = useSharedBrokers('mosquitto', 'prosody', 'ejabberd');
let people: People;
beforeAll(async () => {
  people = await startPeople();
});
afterAll(() => people.close());

interface Entry {
  readonly address: string;
  readonly key: string;
  readonly show?: string;
  readonly available: boolean;
}

describe.each(['prosody', 'ejabberd'] as const)('presence of an account, on %s', (name) => {
  const [bridge, nadia, omar] = [unique('bridge'), unique('nadia'), unique('omar')];
  const plant = unique('plant');
  const room = `${unique('ops')}@conference.localhost`;
  const heard: string[] = [];
  const colleagues = new Map<string, Person>();
  let device: MqttClient;
  let home: GatewayHome;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    const server = shared[name];
    for (const each of [bridge, nadia, omar]) await createAccount(server, each, `${each}-secret`);
    for (const each of [nadia, omar]) colleagues.set(each, await people.login(server, each, { accept: true }));
    await person(nadia).join(room, 'nadia');
    device = await mqtt.connectAsync(`mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`);
    device.on('message', (topic, body) =>
      heard.push(`${topic.slice(plant.length + '/seen/'.length)} ${body.toString()}`),
    );
    await device.subscribeAsync(`${plant}/seen/#`, { qos: 1 });
    home = await gatewayHome(JSON.stringify(configuration()));
    gateway = await home.start();
  });
  afterAll(async () => void (await Promise.all([home?.remove(), device?.endAsync()])));

  const person = (account: string): Person => colleagues.get(account)!;
  const configuration = () => ({
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
        createRooms: true,
        contacts: { allow: ['*@localhost'] },
        rooms: [{ room }],
      },
      floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`, clientId: unique('floor') },
    },
    routes: {
      people: {
        from: { connection: 'chat', jid: '{user}@localhost', kind: 'presence' },
        to: {
          connection: 'floor',
          topic: `${plant}/seen/people/\${user}`,
          text: "${event.type} ${payload.?show.orValue('')}",
        },
      },
      occupants: {
        from: { connection: 'chat', room, kind: 'presence' },
        to: {
          connection: 'floor',
          topic: `${plant}/seen/room/\${origin.nick}`,
          text: "${event.type} ${origin.?affiliation.orValue('')}",
        },
      },
      own: {
        from: { connection: 'floor', topic: `${plant}/status` },
        to: {
          connection: 'chat',
          contact: bridge,
          presence: { available: '${payload.ok}', status: '${payload.text}' },
        },
      },
    },
  });

  const hears = (line: string, from = 0) =>
    waitFor(() => heard.slice(from).includes(line), { what: `"${line}"; heard ${JSON.stringify(heard.slice(from))}` });
  const present = async (): Promise<readonly Entry[]> =>
    ((await (await fetch(`${gateway.url}/v1/presence?connection=chat`)).json()) as { presence: Entry[] }).presence;

  it('becomes a contact of whom it allows, and hears how they are', async () => {
    await person(nadia).subscribe(`${bridge}@localhost`);
    await person(omar).subscribe(`${bridge}@localhost`);
    await hears(`people/${nadia} available `);
    await hears(`people/${omar} available `);
    await person(nadia).show({ show: 'dnd' });
    await hears(`people/${nadia} available dnd`);
    const entries = await present();
    expect(entries.find(({ address }) => address === `jid:${nadia}@localhost`)).toMatchObject({
      show: 'dnd',
      available: true,
    });
  });

  it('hears who is in a room, comes and goes', async () => {
    await hears('room/nadia available owner');
    await person(omar).join(room, 'omar');
    await hears('room/omar available none');
    expect((await present()).map(({ key }) => key)).toContain(`${room}/omar`);
    await person(omar).leave(room);
    await hears('room/omar unavailable none');
    expect((await present()).map(({ key }) => key)).not.toContain(`${room}/omar`);
  });

  it('finds out who has left while the gateway was down, and reports nothing twice', async () => {
    await person(omar).join(room, 'omar');
    await hears('room/omar available none');
    await new Promise((resolve) => setTimeout(resolve, 500)); // The report must be on disk.
    await gateway.kill();
    await person(omar).logout();
    const from = heard.length;
    gateway = await home.start();
    await hears(`people/${omar} unavailable `, from);
    await hears('room/omar unavailable ', from);
    expect(heard.slice(from).filter((line) => line.includes('nadia'))).toEqual([]);
  });

  it('is as a route says', async () => {
    await device.publishAsync(`${plant}/status`, JSON.stringify({ ok: false, text: 'maintenance' }), { qos: 1 });
    const seen = await person(nadia).presence(({ status }) => status === 'maintenance');
    expect(seen).toMatchObject({ type: 'available', show: 'xa' });
  });
});

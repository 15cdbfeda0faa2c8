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
const BRIDGE = 'bridge@localhost';
const DOMAIN = 'devices.localhost';
const NOT_RUN = 'Not run, because it was said while the gateway was away: ';

/** A gateway that writes everything said to it into topics, beside Nadia, who talks. */
function stage(name: keyof typeof SERVERS, archive: boolean) {
  const plant = unique('plant');
  const room = `${unique('ops')}@conference.localhost`;
  const heard: string[] = [];
  let server: XmppServer;
  let nadia: Person;
  let device: MqttClient;
  let home: GatewayHome;
  let gateway: GatewayProcess;

  const configuration = () => {
    const route = (from: object, topic: string, more: object = {}) => ({
      from: { connection: 'chat', ...from },
      to: { connection: 'floor', topic: `${plant}/${topic}` },
      ...more,
    });
    const command = { jid: '{user}@localhost', text: 'set {level}' };
    const allow = ['nadia@localhost'];
    return {
      version: 1,
      gateway: { id: 'magpie' },
      http: { port: 0 },
      connections: {
        chat: {
          type: 'xmpp',
          jid: BRIDGE,
          password: 'bridge-secret',
          url: server.urls.plain,
          tls: { ca: server.ca },
          createRooms: true,
        },
        devices: {
          ...{ type: 'xmpp', mode: 'component', domain: DOMAIN, secret: server.componentSecret, nick: 'devices' },
          url: server.urls.component,
        },
        floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`, clientId: unique('floor') },
      },
      routes: {
        account: route({ jid: '{user}@localhost' }, 'account'),
        room: route({ room }, 'room'),
        command: route(command, 'command', { allow }),
        'late-command': route(command, 'late-command', { allow, late: 'run' }),
        'device-room': route({ connection: 'devices', room }, 'device-room'),
        'room-command': route({ room, text: '!{level}' }, 'room-command'),
        'room-question': route({ room, text: '?{level}' }, 'room-question'),
        question: route({ jid: '{user}@localhost', text: 'ask {level}' }, 'question', { allow }),
        'late-room-command': route({ room, text: '!{level}' }, 'late-room-command', { late: 'run' }),
        gaps: route({ jid: '{user}@localhost', kind: 'status' }, 'gaps'),
        'room-gaps': route({ room, kind: 'status' }, 'gaps'),
      },
    };
  };

  beforeAll(async () => {
    server = await SERVERS[name]({ archive, components: [DOMAIN] });
    for (const each of ['bridge', 'nadia', 'mallory']) await createAccount(server, each, `${each}-secret`);
    nadia = await people.login(server, 'nadia');
    await nadia.join(room, 'nadia', { configure: { 'muc#roomconfig_persistentroom': '1' } });
    device = await mqtt.connectAsync(shared.mosquitto.urls.plain);
    device.on('message', (topic, body) => heard.push(`${topic.slice(plant.length + 1)} ${body.toString()}`));
    await device.subscribeAsync(`${plant}/#`, { qos: 1 });
    home = await gatewayHome(JSON.stringify(configuration()));
    gateway = await home.start();
  });
  afterAll(async () => {
    await Promise.all([home?.remove(), device?.endAsync()]);
    await server?.stop();
  });

  return {
    room,
    heard,
    nadia: () => nadia,
    mallory: () => people.login(server, 'mallory'),
    /** What was delivered is to be on disk: a target gets what is not once more. */
    kill: async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      await gateway.kill();
    },
    terminate: () => gateway.terminate(),
    logs: () => gateway.logs(),
    start: async () => {
      gateway = await home.start();
    },
    details: async () => {
      const response = await fetch(`${gateway.url}/v1/connections`);
      return JSON.stringify(await response.json());
    },
    hears: (line: string) => waitFor(() => heard.includes(line), { what: `"${line}"; heard ${JSON.stringify(heard)}` }),
    of: (topic: string) =>
      heard.filter((line) => line.startsWith(`${topic} `)).map((line) => line.slice(topic.length + 1)),
  };
}

const texts = (what: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${what} ${index}`);

describe.each(['prosody', 'ejabberd'] as const)('what was said while the gateway was away, on %s', (name) => {
  const { room, heard, nadia, mallory, kill, start, hears, of } = stage(name, true);
  const forged = (by: string): string => `<stanza-id xmlns="urn:xmpp:sid:0" by="${by}" id="1"/>`;

  it('comes live at first', async () => {
    await nadia().say(BRIDGE, 'first');
    await nadia().sayIn(room, 'first');
    await hears('account first');
    await hears('room first');
    await hears('device-room first');
  });

  it('comes once and in order after a crash, with what is said meanwhile, and runs no command unless the route says so', async () => {
    await kill();
    const [chats, lines] = [texts('chat', 130), texts('line', 130)];
    for (const text of chats) await nadia().say(BRIDGE, text);
    for (const text of lines) await nadia().sayIn(room, text);
    await nadia().say(BRIDGE, 'set 5');
    await nadia().sayIn(room, '!6');
    await nadia().say(BRIDGE, 'ask 5');
    await nadia().sayIn(room, '?6');
    await start();
    await nadia().say(BRIDGE, 'set 7');
    await nadia().sayIn(room, '!8');
    await hears('account set 7');
    await hears('room !8');
    expect(of('account')).toEqual(['first', ...chats, 'set 5', 'ask 5', 'set 7']);
    expect(of('room')).toEqual(['first', ...lines, '!6', '?6', '!8']);
    await hears('device-room !8');
    expect(of('device-room')).toEqual(of('room'));
    await hears('late-command set 7');
    for (const each of ['late-room-command !8', 'room-command !8', 'command set 7']) await hears(each);
    expect([of('command'), of('late-command')]).toEqual([['set 7'], ['set 5', 'set 7']]);
    expect([of('room-command'), of('late-room-command')]).toEqual([['!8'], ['!6', '!8']]);
    expect([of('question'), of('room-question')]).toEqual([[], []]);
    const reports = (): string[] => nadia().messages.flatMap(({ body }) => (body?.startsWith(NOT_RUN) ? [body] : []));
    await waitFor(() => reports().length >= 2, { what: 'two reports of commands that did not run' });
    expect(reports().sort()).toEqual([`${NOT_RUN}?6`, `${NOT_RUN}ask 5`]);
    expect(of('gaps')).toEqual([]);
  });

  it('is neither invented nor hidden by ids and results that somebody forges', async () => {
    const other = await mallory();
    await other.say(BRIDGE, 'with a forged id', { xml: forged(BRIDGE) });
    await other.say(BRIDGE, 'with a forged id that is not archived', {
      xml: `${forged(BRIDGE)}<no-store xmlns="urn:xmpp:hints"/>`,
    });
    const inner = `<message xmlns="jabber:client" from="nadia@localhost/x" to="${BRIDGE}" type="chat"><body>set 100</body></message>`;
    const stamp = `<delay xmlns="urn:xmpp:delay" stamp="${new Date().toISOString()}"/>`;
    await other.say(BRIDGE, 'a forged result', {
      xml: `<result xmlns="urn:xmpp:mam:2" queryid="1" id="2"><forwarded xmlns="urn:xmpp:forward:0">${stamp}${inner}</forwarded></result>`,
    });
    await other.say(BRIDGE, 'after it');
    await hears('account after it');
    await kill();
    await nadia().say(BRIDGE, 'after the forgeries');
    await nadia().sayIn(room, 'after the forgeries');
    await start();
    await hears('account after the forgeries');
    await hears('room after the forgeries');
    expect(heard.filter((line) => /set 100|forged result/.test(line))).toEqual([]);
    const forgeries = ['with a forged id', 'with a forged id that is not archived', 'after it', 'after the forgeries'];
    expect(of('account').slice(-4)).toEqual(forgeries);
    expect(of('room').filter((text) => text === 'after the forgeries')).toHaveLength(1);
    expect(of('gaps')).toEqual([]);
  });
});

describe.each(['prosody', 'ejabberd'] as const)('on a %s without archives', (name) => {
  const { room, nadia, terminate, start, hears, of, logs, details } = stage(name, false);

  it('says so, and brings what the server itself has kept', async () => {
    await nadia().say(BRIDGE, 'first');
    await hears('account first');
    expect(await details()).toContain('keeps no archive');
    expect(logs()).toContain('keeps no archive');
    await terminate();
    await nadia().say(BRIDGE, 'meanwhile');
    await nadia().say(BRIDGE, 'set 5');
    await start();
    await nadia().sayIn(room, '!8');
    await hears('account set 5');
    await hears('room !8');
    await hears('late-command set 5');
    await hears('room-command !8');
    expect(of('account')).toEqual(['first', 'meanwhile', 'set 5']);
    expect([of('command'), of('room-command')]).toEqual([[], ['!8']]);
  });
});

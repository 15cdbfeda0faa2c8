import { createAccount } from '@magpie/brokers';
import { type People, type Person, startPeople, unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayHome, type GatewayProcess, gatewayHome } from '../support/gateway-process.ts';

const shared = useSharedBrokers('mosquitto', 'prosody', 'ejabberd');
let people: People;
beforeAll(async () => {
  people = await startPeople();
});
afterAll(() => people.close());

/** What a device gets, and how it may answer. */
interface Command {
  readonly device: string;
  readonly text: string;
  readonly packet: IPublishPacket;
}

describe.each(['prosody', 'ejabberd'] as const)('a device that is asked in a chat, on %s', (name) => {
  const bridge = unique('bridge');
  const plant = unique('plant');
  const room = `${unique('ops')}@conference.localhost`;
  const commands: Command[] = [];
  let person: Person;
  let device: MqttClient;
  let home: GatewayHome;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    const server = shared[name];
    const account = unique('nadia');
    for (const each of [bridge, account]) await createAccount(server, each, `${each}-secret`);
    person = await people.login(server, account);
    await person.join(room, 'nadia');
    device = await mqtt.connectAsync(shared.mosquitto.urls.plain, { protocolVersion: 5 });
    device.on('message', (topic, body, packet) =>
      commands.push({ device: topic.split('/').at(-2) ?? '', text: body.toString(), packet }),
    );
    await device.subscribeAsync(`${plant}/+/set`, { qos: 1 });
    home = await gatewayHome(JSON.stringify(configuration()));
    gateway = await home.start();
    await person.presence(({ from, type }) => from === `${room}/magpie` && type === 'available');
  });
  afterAll(async () => void (await Promise.all([home?.remove(), device?.endAsync()])));

  const floor = () => ({
    type: 'mqtt',
    url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`,
    clientId: unique('floor'),
  });
  const reply = (from: object, timeout: string) => ({
    from,
    timeout,
    text: '${device}: ${reply.payload.level} (${reply.headers.?unit.orValue("l")})',
    onTimeout: '${device} does not answer',
    onRefused: '${device} cannot: ${reply.error}',
  });
  const set = (connection: string) => ({ connection, topic: `${plant}/\${device}/set`, text: '${int(level)}' });
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
      },
      floor: floor(),
      old: { ...floor(), version: '3.1.1', clientId: unique('old') },
    },
    routes: {
      room: {
        from: { connection: 'chat', room, text: '!{device} {level}' },
        allow: ['none', 'member', 'owner'],
        to: set('floor'),
        reply: reply({ topic: `${plant}/answers` }, '30s'),
      },
      hasty: {
        from: { connection: 'chat', room, text: '?{device} {level}' },
        allow: ['none', 'member', 'owner'],
        to: set('floor'),
        reply: reply({ topic: `${plant}/answers` }, '1s'),
      },
      chat: {
        from: { connection: 'chat', jid: '{user}@localhost', text: 'set {device} {level}', ignoreCase: true },
        allow: ['*@localhost'],
        to: set('old'),
        otherwise: 'say: set DEVICE LEVEL',
        reply: reply({ topic: `${plant}/{device}/answer` }, '30s'),
      },
    },
  });

  const hears = (wanted: string, text: string): Promise<Command> =>
    waitFor(() => commands.findLast((each) => each.device === wanted && each.text === text) ?? Promise.reject(text), {
      what: `the command "${text}" at ${wanted}`,
    });
  const answer = ({ packet }: Command, level: number) => {
    const { responseTopic = '', correlationData } = packet.properties ?? {};
    return device.publishAsync(responseTopic, JSON.stringify({ level }), {
      qos: 1,
      properties: { ...(correlationData ? { correlationData } : {}), userProperties: { unit: 'm' } },
    });
  };
  const said = (text: string) => person.messages.filter(({ body }) => body === text);
  const counters = async (): Promise<Record<string, number>> => {
    const answered = await fetch(`${gateway.url}/v1/connections/floor`);
    return ((await answered.json()) as { counters: Record<string, number> }).counters;
  };

  it('is asked by a request of MQTT 5, and answers in the room', async () => {
    await person.sayIn(room, '!pump 42', { thread: 'shift 7' });
    const command = await hears('pump', '42');
    expect(command.packet.properties?.responseTopic).toBe(`${plant}/answers`);
    expect(command.packet.properties?.messageExpiryInterval).toBeGreaterThan(20);
    await answer(command, 41);
    const back = await person.message(({ body }) => body === 'pump: 41 (m)');
    expect(back).toMatchObject({ from: `${room}/magpie`, type: 'groupchat' });
    expect(back.thread).toBe('shift 7');
  });

  it('is said to be silent when it is, and what it says later is ignored', async () => {
    await person.sayIn(room, '?fan 7');
    const command = await hears('fan', '7');
    await person.message(({ body }) => body === 'fan does not answer');
    await answer(command, 7);
    await waitFor(async () => (await counters())['late-reply'] === 1, { what: 'the late reply' });
    expect(said('fan does not answer')).toHaveLength(1);
    expect(said('fan: 7 (m)')).toEqual([]);
  });

  it('is refused with the reason what cannot be sent', async () => {
    await person.sayIn(room, '!pump full');
    const back = await person.message(({ body }) => body?.startsWith('pump cannot: ') === true);
    expect(back.type).toBe('groupchat');
  });

  it('answers by a topic of its own where the protocol has no requests, in the chat and to the client that asked', async () => {
    await person.say(`${bridge}@localhost`, 'set tank 3', { thread: 'one' });
    const command = await hears('tank', '3');
    expect(command.packet.properties?.responseTopic).toBeUndefined();
    await device.publishAsync(`${plant}/tank/answer`, JSON.stringify({ level: 3 }), { qos: 1 });
    const back = await person.message(({ body }) => body === 'tank: 3 (l)');
    expect(back).toMatchObject({ type: 'chat', to: person.jid, thread: 'one' });
  });

  it('is asked by words that are spaced and cased as people do; what is no command gets one line back', async () => {
    await person.say(`${bridge}@localhost`, ' SET  tank   4 ');
    await hears('tank', '4');
    await device.publishAsync(`${plant}/tank/answer`, JSON.stringify({ level: 4 }), { qos: 1 });
    await person.message(({ body }) => body === 'tank: 4 (l)');
    await person.say(`${bridge}@localhost`, 'set tank', { thread: 'two' });
    const back = await person.message(({ body }) => body === 'say: set DEVICE LEVEL');
    expect(back).toMatchObject({ type: 'chat', to: person.jid, thread: 'two' });
    expect(said('say: set DEVICE LEVEL')).toHaveLength(1);
  });

  it('is heard although the gateway was killed between request and answer', async () => {
    await person.sayIn(room, '!valve 9');
    const command = await hears('valve', '9');
    await gateway.kill();
    await answer(command, 9);
    gateway = await home.start();
    await person.message(({ body }) => body === 'valve: 9 (m)');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(said('valve: 9 (m)')).toHaveLength(1);
  });

  it('is said once to be silent although the gateway was killed while it waited', async () => {
    await person.sayIn(room, '?valve 10');
    await hears('valve', '10');
    await gateway.kill();
    gateway = await home.start();
    await person.message(({ body }) => body === 'valve does not answer', { timeout: 20_000 });
    await gateway.terminate();
    gateway = await home.start();
    expect(said('valve does not answer')).toHaveLength(1);
  });
});

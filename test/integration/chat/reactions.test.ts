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

/** What is known of a one-to-one message besides its text. */
const WORDS =
  '${text} | ${event.contentType} | ${origin.?lang.orValue("-")} | ${origin.?texts.orValue([]).map(each, each.text)} | ${origin.?encrypted.orValue(false)}';

describe.each(['prosody', 'ejabberd'] as const)('reactions, on %s', (name) => {
  const [bridge, nadia] = [unique('bridge'), unique('nadia')];
  const plant = unique('plant');
  const room = `${unique('ops')}@conference.localhost`;
  const heard: string[] = [];
  let person: Person;
  let device: MqttClient;
  let home: GatewayHome;

  beforeAll(async () => {
    const server = shared[name];
    for (const each of [bridge, nadia]) await createAccount(server, each, `${each}-secret`);
    person = await people.login(server, nadia);
    await person.join(room, 'nadia');
    device = await mqtt.connectAsync(`mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`);
    device.on('message', (topic, body) => heard.push(`${topic.slice(plant.length + 1)} ${body.toString()}`));
    await device.subscribeAsync(`${plant}/seen/#`, { qos: 1 });
    home = await gatewayHome(JSON.stringify(configuration()));
    await home.start();
  });
  afterAll(async () => void (await Promise.all([home?.remove(), device?.endAsync()])));

  const configuration = () => ({
    version: 1,
    gateway: { id: 'magpie' },
    http: { port: 0 },
    connections: {
      chat: {
        ...{ type: 'xmpp', jid: `${bridge}@localhost`, password: `${bridge}-secret` },
        ...{ url: shared[name].urls.plain, tls: { ca: shared[name].ca } },
      },
      floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`, clientId: unique('floor') },
    },
    routes: {
      alarms: { from: { connection: 'floor', topic: `${plant}/alarm` }, to: { connection: 'chat', room } },
      lines: {
        from: { connection: 'chat', room },
        to: { connection: 'floor', topic: `${plant}/seen/line`, text: '${text} ${origin.stanzaId}' },
      },
      seen: {
        from: { connection: 'chat', room, kind: 'reaction' },
        to: {
          connection: 'floor',
          topic: `${plant}/seen/reaction/\${event.correlationId}`,
          text: '${origin.nick} ${text}',
        },
      },
      done: {
        from: { connection: 'floor', topic: `${plant}/done/{message}` },
        to: { connection: 'chat', room, refers: { reaction: '${message}' } },
      },
      answer: {
        from: { connection: 'floor', topic: `${plant}/answer/{message}` },
        to: { connection: 'chat', room, refers: { reply: '${message}' } },
      },
      better: {
        from: { connection: 'floor', topic: `${plant}/better/{message}` },
        to: { connection: 'chat', room, refers: { replaces: '${message}' } },
      },
      back: {
        from: { connection: 'floor', topic: `${plant}/back/{message}` },
        to: { connection: 'chat', room, refers: { retracts: '${message}' } },
      },
      values: {
        from: { connection: 'floor', topic: `${plant}/values` },
        to: { connection: 'chat', jid: `${nadia}@localhost`, jsonContainer: true },
      },
      words: {
        from: { connection: 'chat', jid: `${nadia}@localhost` },
        to: { connection: 'floor', topic: `${plant}/seen/words`, text: WORDS },
      },
    },
  });

  const write = (id: string, inner: string): Promise<void> =>
    person.raw(`<message to="${bridge}@localhost" type="chat" id="${id}" xml:lang="en">${inner}</message>`);

  const line = (start: string): Promise<string> =>
    waitFor(() => heard.find((each) => each.startsWith(start)), { what: `"${start}"; heard ${heard}` });

  it('of a person to what the gateway has said tell which delivery that was', async () => {
    await device.publishAsync(`${plant}/alarm`, 'pump 7 is hot', { qos: 1 });
    const { id, stanzaIds } = await person.message(({ body }) => body === 'pump 7 is hot');
    const stamp = stanzaIds.find(({ by }) => by === room)?.id ?? '';
    await person.raw(
      `<message to="${room}" type="groupchat" id="r1"><reactions xmlns="urn:xmpp:reactions:0" id="${stamp}"><reaction>👍</reaction></reactions><store xmlns="urn:xmpp:hints"/></message>`,
    );
    expect(await line('seen/reaction/')).toBe(`seen/reaction/${id} nadia 👍`);
  });

  it('of a device, and its answer, show at the message that they are about', async () => {
    await person.sayIn(room, 'pump 7 off please');
    const stamp = (await line('seen/line pump 7 off')).split(' ').at(-1) ?? '';
    await device.publishAsync(`${plant}/done/${stamp}`, '✅', { qos: 1 });
    await device.publishAsync(`${plant}/answer/${stamp}`, 'it is off', { qos: 1 });
    const reaction = await person.message(({ xml }) => xml.includes('urn:xmpp:reactions:0') && xml.includes('✅'));
    expect([reaction.body, reaction.xml.includes(`id="${stamp}"`)]).toEqual([null, true]);
    const answer = await person.message(({ body }) => body === 'it is off');
    expect(answer.xml).toContain('urn:xmpp:reply:0');
    expect(answer.xml).toContain(`id="${stamp}"`);
  });

  it('of a device to what it has said itself correct it and take it back', async () => {
    await device.publishAsync(`${plant}/alarm`, 'pump 8 is hot', { qos: 1 });
    const { id, stanzaIds } = await person.message(({ body }) => body === 'pump 8 is hot');
    const stamp = stanzaIds.find(({ by }) => by === room)?.id ?? '';
    await device.publishAsync(`${plant}/better/${id}`, 'pump 8 is warm', { qos: 1 });
    const corrected = await person.message(({ body }) => body === 'pump 8 is warm');
    expect(corrected.xml).toContain('urn:xmpp:message-correct:0');
    expect(corrected.xml).toContain(`id="${id}"`);
    await device.publishAsync(`${plant}/back/${stamp}`, 'taken back', { qos: 1 });
    const retracted = await person.message(({ xml }) => xml.includes('urn:xmpp:message-retract:1'));
    expect(retracted.xml).toContain(`id="${stamp}"`);
  });

  it('are not all that stands beside a text: languages, markup, a placeholder and JSON come as they are meant', async () => {
    await write('w1', '<body xml:lang="de">heiss</body><body>hot</body>');
    expect(await line('seen/words hot')).toBe('seen/words hot | text/plain; charset=utf-8 | en | ["heiss"] | false');
    const page =
      '<html xmlns="http://jabber.org/protocol/xhtml-im"><body xmlns="http://www.w3.org/1999/xhtml">off</body></html>';
    await write('w2', `${page}<body>on</body>`);
    expect(await line('seen/words on')).toBe('seen/words on | text/plain; charset=utf-8 | en | [] | false');
    const encrypted = '<encrypted xmlns="eu.siacs.conversations.axolotl"><payload>AAAA</payload></encrypted>';
    await write('w3', `<body>you cannot read this</body>${encrypted}<store xmlns="urn:xmpp:hints"/>`);
    expect(await line('seen/words you')).toMatch(/ \| true$/);
    await write('w4', '<json xmlns="urn:xmpp:json:0">{"t": 72.10000000000000000001}</json><body>72 degrees</body>');
    expect(await line('seen/words {"t"')).toBe(
      'seen/words {"t": 72.10000000000000000001} | application/json | - | ["72 degrees"] | false',
    );
  });

  it('JSON goes to a program in a container where the target says so', async () => {
    const properties = { contentType: 'application/json' };
    await device.publishAsync(`${plant}/values`, '{"t":72.10000000000000000001}', { qos: 1, properties });
    const { body, xml } = await person.message(({ xml: text }) => text.includes('urn:xmpp:json:0'));
    expect(body).toBeNull();
    expect(xml.replaceAll('&quot;', '"')).toContain('>{"t":72.10000000000000000001}</json>');
  });
});

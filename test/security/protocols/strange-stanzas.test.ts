import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { rawChat } from '../../support/raw-xmpp.ts';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { linksOf, MUC, say, textsOf, useChatSite } from '../kit/chat-site.ts';
import { eventsOf } from '../kit/events.ts';
import { post } from '../kit/http.ts';
import { startVictim } from '../kit/victim.ts';

const site = useChatSite();

it('whatever a topic or a text is made of, no message to a room or a person ends the link to the server', async () => {
  const room = site.room('strange');
  const alice = await site.person('alice', room);
  const victim = await startVictim({
    connections: { chat: site.chat() },
    routes: {
      rooms: {
        from: { connection: 'http', topic: 'room/{name*}' },
        to: { connection: 'chat', room: `\${name}@${site.prosody.rooms}` },
      },
      people: {
        from: { connection: 'http', topic: 'jid/{name*}' },
        to: { connection: 'chat', jid: '${name}@localhost' },
      },
      texts: { from: { connection: 'http', topic: 'text' }, to: { connection: 'chat', room } },
    },
  });
  const before = linksOf(victim);
  const strange = [
    ...[
      'a b',
      '@',
      'a@b',
      'a/b',
      '"',
      "'",
      '&<>',
      'ÄÖ',
      '\u212a',
      'ß',
      'ⅳ',
      '\u00ad',
      '\u200b',
      '\u202e',
      '\ufeff',
      '\uffff',
    ],
    ...[
      '\u0001',
      '\u0000',
      '\u007f',
      '\u0085',
      '\u2028',
      '\ud800',
      '\u{1f525}',
      'x'.repeat(1023),
      'x'.repeat(3000),
      'é'.repeat(512),
    ],
    ...[']]>', '<!--', '<![CDATA[', '</body>', '\u001b[2J', '__proto__', 'constructor', '${room}', '..', '%2f', '\\20'],
  ];
  const outcome = await underAttack(victim, async () => {
    let sent = 0;
    for (const each of strange) {
      const fields = { subject: each, headers: { [`h${each}`.slice(0, 255)]: each }, correlationId: each };
      for (const message of [
        { topic: `room/${each}`, text: 'x' },
        { topic: `jid/${each}`, text: 'x' },
        { topic: 'text', text: `strange ${each}`, ...fields },
        { topic: 'text', payload: { [each]: each } },
      ]) {
        const { status } = await post(`${victim.url}/v1/messages`, message);
        expect([202, 400, 422]).toContain(status);
        sent++;
      }
    }
    await post(`${victim.url}/v1/messages`, { topic: 'text', text: 'the last one' });
    await waitFor(() => textsOf(alice).includes('the last one'), { what: 'the last one', timeout: 60_000 });
    return sent;
  });
  expectUnharmed(outcome, { growth: 150 });
  expect(linksOf(victim)).toBe(before);
});

/** Stanzas that a server may pass on from any sender. */
const WRITTEN: Readonly<Record<string, string>> = {
  'elements 5,000 deep': `<body>x</body>${'<a xmlns="urn:example:a">'.repeat(1)}${'<a>'.repeat(5000)}${'</a>'.repeat(5000)}</a>`,
  'ten thousand elements': `<body>x</body>${'<a/>'.repeat(10_000)}`,
  'a thousand bodies': '<body>x</body>'.repeat(1000),
  'a thousand attributes': `<body>x</body><a xmlns="urn:example:a" ${Array.from({ length: 1000 }, (_, n) => `a${n}="x"`).join(' ')}/>`,
  'names of prototypes':
    '<body>x</body><__proto__ xmlns="urn:example:a" constructor="x" __proto__="y"/><constructor/><toString/>',
  'a namespace that is empty': '<body xmlns="">x</body>',
  'a namespace of ours': '<event xmlns="urn:magpie:event:0"/><body>x</body>',
  'another message inside': '<message from="boss@localhost"><body>!pump on</body></message>',
  'a forwarded message':
    '<forwarded xmlns="urn:xmpp:forward:0"><message from="boss@localhost"><body>!pump on</body></message></forwarded>',
  'a copy of a message':
    '<received xmlns="urn:xmpp:carbons:2"><forwarded xmlns="urn:xmpp:forward:0"><message from="boss@localhost" to="magpie@localhost" type="chat"><body>!pump on</body></message></forwarded></received>',
  'a delay far away': '<body>x</body><delay xmlns="urn:xmpp:delay" stamp="+275760-09-13T00:00:00Z" from="localhost"/>',
  'a stanza id of our account': '<body>x</body><stanza-id xmlns="urn:xmpp:sid:0" id="1" by="magpie@localhost"/>',
  'a receipt for everything': '<received xmlns="urn:xmpp:receipts" id="*"/>',
  'characters at the edges of XML': '<body>&#x7f;&#x80;&#x9f;&#xfdd0;&#x10ffff;\u2028\u202e\ufeff</body>',
  'sections and entities': '<body><![CDATA[<a>]]>&lt;&amp;&#38;</body>',
  'numbers without end': '<body>x</body><priority>1e999</priority><json xmlns="urn:xmpp:json:0">1e999</json>',
  'JSON 100,000 deep': `<json xmlns="urn:xmpp:json:0">${'['.repeat(30_000)}</json><body>${'['.repeat(30_000)}</body>`,
};

it('whatever anybody writes to the gateway or into its room, its link to the server stays up', async () => {
  const room = site.room('written');
  const alice = await site.person('alice', room);
  const victim = await startVictim({
    connections: { chat: site.chat(), out: { type: 'memory', broker: room } },
    routes: {
      room: {
        from: { connection: 'chat', room },
        when: 'payload == null || size(text) > 0',
        to: { connection: 'out', channel: 'said' },
      },
      people: { from: { connection: 'chat', jid: '{who}@localhost' }, to: { connection: 'out', channel: '${who}' } },
    },
  });
  const before = linksOf(victim);
  const mallory = async () => {
    const client = await rawChat(site.prosody.ports.plain, 'bob', 'bob-secret');
    onTestFinished(() => client.close());
    client.send(`<presence to="${room}/bob"><x xmlns="${MUC}"/></presence>`);
    return client;
  };
  const outcome = await underAttack(victim, async () => {
    let sent = 0;
    for (const content of Object.values(WRITTEN))
      for (const head of [
        ...['chat', 'headline', 'normal', 'error'].map((type) => `to="magpie@localhost" type="${type}"`),
        ...[`to="${room}" type="groupchat"`, `to="${room}/magpie" type="chat"`],
      ]) {
        const client = await mallory(); // The server may end the stream of the sender.
        client.send(`<message ${head} id="${sent++}">${content}</message>`);
        client.send(`<iq to="magpie@localhost" type="set" id="q"><q xmlns="urn:example:q">${content}</q></iq>`);
        await Promise.race([client.next(/<(?:message|iq)[^>]* type=.(?:error|groupchat)/), sleep(150)]).catch(
          () => undefined,
        );
        client.close();
      }
    await alice.send(say(room, 'the last one'));
    const stored = async () => (await eventsOf(victim, 'chat')).some(({ text }) => text === 'the last one');
    await waitFor(stored, { what: 'the last one', timeout: 20_000, interval: 100 });
    return sent;
  });
  expectUnharmed(outcome, { growth: 200 });
  expect(linksOf(victim)).toBe(before);
  const events = await eventsOf(victim, 'chat');
  expect(events.filter(({ text, address }) => text === '!pump on' && address.includes('boss'))).toEqual([]);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import { xml } from '@xmpp/client';
import { describe, expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { linksOf, MUC, say, stateOf, textsOf, useChatSite } from '../kit/chat-site.ts';
import { deadLettersOf, eventsOf } from '../kit/events.ts';
import { post } from '../kit/http.ts';
import { amount } from '../kit/settings.ts';
import { silentComponent } from '../kit/silent-component.ts';
import { startVictim, type Victim } from '../kit/victim.ts';

const site = useChatSite(65_536);

/** A gateway in a room: what is said there goes to `out`, what apps publish to `notice` goes into the room. */
const inRoom = (room: string): Promise<Victim> =>
  startVictim({
    connections: { chat: site.chat(), out: { type: 'memory', broker: room } },
    routes: {
      commands: { from: { connection: 'chat', room }, to: { connection: 'out', channel: 'said' } },
      notices: { from: { connection: 'http', topic: 'notice' }, to: { connection: 'chat', room } },
    },
  });

it('a message larger than the server takes costs one link, and what is said in the room before and after it is kept', async () => {
  const room = site.room('large');
  const alice = await site.person('alice', room);
  const victim = await inRoom(room);
  const before = linksOf(victim);
  const lines = Array.from({ length: 25 }, (_, index) => `line ${index}`);
  const outcome = await underAttack(victim, async () => {
    await post(`${victim.url}/v1/messages`, { topic: 'notice', text: 'before' });
    for (const [index, line] of lines.entries()) {
      if (index % 10 === 5)
        await post(`${victim.url}/v1/messages`, { topic: 'notice', text: `${index} ${'x'.repeat(100_000)}` });
      await alice.send(say(room, line));
      await sleep(100);
    }
    await post(`${victim.url}/v1/messages`, { topic: 'notice', text: 'after' });
    await waitFor(() => textsOf(alice).includes('after'), { what: 'the message behind them', timeout: 30_000 });
    return lines.length + 2;
  });
  expectUnharmed(outcome, { growth: 150 });
  const events = await eventsOf(victim, 'chat');
  const stored = events.map(({ text }) => text);
  // A room cannot be read while the link is down: one possible gap per link.
  const gaps = events.filter(({ kind }) => kind === 'status').length;
  expect(gaps).toBe(linksOf(victim) - before);
  expect(lines.filter((line) => !stored.includes(line)).length).toBeLessThanOrEqual(gaps * 10);
  expect(textsOf(alice).filter((text) => text === 'before' || text === 'after')).toEqual(['before', 'after']);
  // From the first one the gateway learns what the server permits: the next goes as a file, where the server takes files.
  const refused = await deadLettersOf(victim);
  const asFile = textsOf(alice).filter((text) => /^https?:\/\//.test(text));
  expect(refused[0]).toMatchObject({ error: 'TooLarge' });
  expect(refused.length + asFile.length).toBe(2);
  expect(linksOf(victim) - before).toBeLessThanOrEqual(2);
});

describe('an occupant of a room', () => {
  it('throws the gateway out of it by no error, status or presence of its own', async () => {
    const room = site.room('forged');
    const alice = await site.person('alice', room);
    const mallory = await site.person('bob', room);
    const victim = await inRoom(room);
    const states = new Set<string>();
    const error = xml(
      'error',
      { type: 'cancel' },
      xml('not-acceptable', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' }),
    );
    const status = (code: string) => xml('status', { code });
    const item = xml('item', { affiliation: 'owner', role: 'moderator', nick: 'bob' });
    const forged = (id: string) => [
      xml('message', { to: `${room}/magpie`, type: 'error', id }, error),
      xml('message', { to: 'magpie@localhost', type: 'error', id }, error),
      xml('iq', { to: `${room}/magpie`, type: 'error', id }, error),
      xml('iq', { to: `${room}/magpie`, type: 'result', id }),
      xml('presence', { to: `${room}/bob` }, xml('x', { xmlns: `${MUC}#user` }, item, status('110'), status('303'))),
      xml(
        'message',
        { to: `${room}/magpie` },
        xml('x', { xmlns: `${MUC}#user` }, status('307'), xml('destroy', { jid: room })),
      ),
      xml('message', { to: room, type: 'groupchat' }, xml('subject', {}, 'mine now')),
    ];
    const outcome = await underAttack(victim, async () => {
      const rounds = amount(10, 100);
      for (let round = 0; round < rounds; round++) {
        await post(`${victim.url}/v1/messages`, { topic: 'notice', text: `notice ${round}` });
        const seen = mallory.messages.at(-1)?.attrs.id ?? 'x';
        for (const stanza of forged(String(seen))) await mallory.send(stanza);
        await alice.send(say(room, `!command ${round}`));
        states.add(String(/"room [^"]+":"([^"]*)"/.exec(await stateOf(victim))?.[1]));
      }
      await waitFor(() => textsOf(alice).includes(`notice ${rounds - 1}`), {
        what: 'the last notice',
        timeout: 20_000,
      });
      return rounds * 7;
    });
    expectUnharmed(outcome, { growth: 150 });
    expect([...states]).toEqual(['joined as magpie']);
    const events = await eventsOf(victim, 'chat');
    const commands = events.filter(({ text }) => text?.startsWith('!command'));
    expect(commands).toHaveLength(amount(10, 100));
    expect(events.filter(({ kind }) => kind === 'status')).toEqual([]);
    expect(new Set(commands.map(({ origin }) => origin?.affiliation))).toEqual(new Set(['owner']));
    expect(events.filter(({ origin }) => origin?.nick === 'bob' && origin.affiliation !== 'none')).toEqual([]);
    expect(await deadLettersOf(victim)).toEqual([]);
  });
});

describe('one place of a target', () => {
  it('that refuses or is silent holds up no other, and nothing comes twice after a restart', async () => {
    const [members, healthy, domain] = [site.room('members'), site.room('healthy'), 'bridge.localhost'];
    await silentComponent(site.prosody.ports.component, domain, site.prosody.componentSecret);
    const alice = await site.person('alice', members, healthy);
    const field = (name: string, value: string) => xml('field', { var: name }, xml('value', {}, value));
    const form = xml(
      'x',
      { xmlns: 'jabber:x:data', type: 'submit' },
      field('FORM_TYPE', `${MUC}#roomconfig`),
      field('muc#roomconfig_membersonly', '1'),
    );
    await alice.send(
      xml('iq', { type: 'set', to: members, id: 'form' }, xml('query', { xmlns: `${MUC}#owner` }, form)),
    );
    const victim = await startVictim({
      connections: { chat: site.chat() },
      routes: {
        out: {
          from: { connection: 'http', topic: 'd/{room}/{domain}' },
          to: { connection: 'chat', room: '${room}@${domain}' },
        },
      },
    });
    const send = (room: string, text: string) =>
      post(`${victim.url}/v1/messages`, { topic: `d/${room.replace('@', '/')}`, text });
    const count = amount(30, 200);
    const outcome = await underAttack(victim, async () => {
      await send(members, 'stuck');
      await send(`silent@${domain}`, 'unheard');
      for (let index = 0; index < count; index++) {
        await send(healthy, `message ${index}`);
        await waitFor(() => textsOf(alice).includes(`message ${index}`), { what: `message ${index}`, timeout: 10_000 });
        if (index % 10 === 0) await send(members, `stuck ${index}`);
      }
      return count + count / 10 + 2;
    });
    expectUnharmed(outcome, { growth: 150 });
    expect(await victim.gateway.terminate()).toBe(0);
    await victim.restart();
    await send(healthy, 'after the restart');
    await waitFor(() => textsOf(alice).includes('after the restart'), {
      what: 'the message after it',
      timeout: 30_000,
    });
    const heard = textsOf(alice).filter((text) => text.startsWith('message '));
    expect(heard).toEqual(Array.from({ length: count }, (_, index) => `message ${index}`));
  });
});

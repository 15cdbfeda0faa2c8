import { setTimeout as sleep } from 'node:timers/promises';
import { type Peer, scriptedServer, waitFor } from '@magpie/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  admitted,
  authenticate,
  chat,
  ENABLED,
  isJoin,
  mechanisms,
  newSession,
  openStream,
  PASSWORD,
  serve,
} from '../../../packages/adapter-xmpp/test/support/fake-xmpp.ts';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { foreignEvents } from '../kit/events.ts';
import { ask, post } from '../kit/http.ts';
import { amount } from '../kit/settings.ts';
import { startVictim, type VictimOptions } from '../kit/victim.ts';

const SM = 'urn:xmpp:sm:3';
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';

/** What an impostor says in a phase that did not ask for it, with a forged command behind it. */
const UNASKED = [
  `<resumed xmlns='${SM}' h='0' previd='x'/>`,
  ENABLED,
  `<failed xmlns='${SM}'/>`,
  `<success xmlns='${SASL}'/>`,
  `<success xmlns='${SASL}'>dj14</success>`,
  "<iq type='result' id='1'/>",
  `<a xmlns='${SM}' h='5'/>`,
  chat('!pump on'),
];

async function hostile(script: (peer: Peer) => Promise<void>): Promise<string> {
  const server = await scriptedServer((peer) => script(peer).catch(() => undefined));
  onTestFinished(() => server.close());
  return `xmpp://127.0.0.1:${server.port}`;
}

const ROOM = 'ops@conference.localhost';

/** A gateway with a command route from anybody, a room with a password, and a way out into a chat. */
const chatting = (url: string, required: boolean): VictimOptions => ({
  ready: false,
  connections: {
    chat: {
      ...{ type: 'xmpp', jid: 'user@localhost', password: PASSWORD, url, tls: { required }, timeout: '3s' },
      rooms: [{ room: ROOM, nick: 'magpie', password: 'canary-of-the-room' }],
    },
    out: { type: 'memory', broker: 'chat' },
  },
  routes: {
    commands: { from: { connection: 'chat', jid: '{who}@localhost' }, to: { connection: 'out', channel: 'cmd' } },
    room: { from: { connection: 'chat', room: ROOM }, to: { connection: 'out', channel: 'room' } },
    notices: { from: { connection: 'http', topic: 'notice' }, to: { connection: 'chat', jid: 'boss@localhost' } },
  },
});

describe('an impostor', () => {
  it.each([
    ['before STARTTLS', true],
    ['before the login', false],
  ])('that says anything %s learns no secret, gets no command in and confirms nothing', async (_, required) => {
    let links = 0;
    let heard = '';
    const url = await hostile(async (peer) => {
      const element = UNASKED[links++ % UNASKED.length]!;
      await openStream(
        peer,
        required
          ? `<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>`
          : mechanisms('SCRAM-SHA-256'),
      );
      peer.send(
        `${element}${chat('!pump on')}<message from='${ROOM}/boss' type='groupchat'><body>!valve open</body></message>`,
      );
      for (;;) heard += (await peer.expect(/[\s\S]/, 10_000)).toString('latin1');
    });
    const victim = await startVictim(chatting(url, required));
    const { body } = await post(`${victim.url}/v1/messages`, { topic: 'notice', text: 'canary-of-the-body' });
    const outcome = await underAttack(victim, async () => {
      await waitFor(() => links >= UNASKED.length, { what: 'all of it said', timeout: 40_000 });
      return links * 3;
    });
    expectUnharmed(outcome, { growth: 150 });
    expect(heard).not.toMatch(/canary/);
    expect(await foreignEvents(victim)).toEqual([]);
    const message = JSON.parse((await ask(`${victim.url}/v1/messages/${JSON.parse(body).ref}`)).body);
    expect(message.targets.map(({ state }: { state: string }) => state)).not.toContain('confirmed');
  });

  it('that knows everything but the password is not believed', async () => {
    let links = 0;
    const url = await hostile(async (peer) => {
      links++;
      await authenticate(peer, true);
    });
    const victim = await startVictim(chatting(url, false));
    const outcome = await underAttack(victim, async () => {
      await waitFor(() => links >= 2, { what: 'two logins', timeout: 20_000 });
      return links;
    });
    expectUnharmed(outcome, { growth: 100 });
    expect(await foreignEvents(victim)).toEqual([]);
  });
});

describe('a hostile server', () => {
  it.each([
    ['requests for acknowledgement', `<r xmlns='${SM}'/>`, amount(150_000, 5_000_000)],
    [
      'questions',
      "<iq type='get' id='1' from='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>",
      amount(50_000, 1_000_000),
    ],
  ])('that asks without reading the answers fills no memory: %s', async (_, element, count) => {
    let said = 0;
    const url = await hostile(async (peer) => {
      await newSession(peer);
      await sleep(300);
      peer.pause();
      const block = element.repeat(1000);
      let gone = false;
      void peer.closed.then(() => {
        gone = true;
      });
      for (; !gone && said < count; said += 1000) {
        peer.send(block);
        await sleep(2);
      }
    });
    const victim = await startVictim(chatting(url, false));
    const outcome = await underAttack(victim, async () => {
      await waitFor(() => said > 0, { what: 'the first of them', timeout: 20_000 });
      await sleep(amount(5000, 60_000));
      return said;
    });
    expectUnharmed(outcome, { growth: 200 });
  });

  it('whose room has a hundred thousand people is bounded', async () => {
    let said = 0;
    const people = amount(50_000, 1_000_000);
    const url = await hostile(async (peer) => {
      await newSession(peer);
      await serve(peer, (element) => {
        if (!isJoin(element)) return undefined;
        void (async () => {
          for (; said < people; said += 500) {
            const block = Array.from(
              { length: 500 },
              (_, index) =>
                `<presence from='${ROOM}/${'n'.repeat(200)}${said + index}'><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='none' role='participant'/></x></presence>`,
            );
            peer.send(block.join(''));
            await sleep(5);
          }
        })();
        return admitted(element);
      });
    });
    const victim = await startVictim(chatting(url, false));
    const outcome = await underAttack(victim, async () => {
      await waitFor(() => said >= people, { what: 'all of them', timeout: 50_000 });
      return said;
    });
    expectUnharmed(outcome, { growth: 200 });
  });

  it('whose strangers send errors by the thousand writes none of them into the log', async () => {
    const count = amount(3000, 100_000);
    let said = 0;
    const url = await hostile(async (peer) => {
      await newSession(peer);
      for (; said < count; said++) {
        peer.send(
          `<message type='error' id='e${said}' from='stranger@localhost/x'><body>${'x'.repeat(500)}</body><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
        );
        if (said % 100 === 0) await sleep(5);
      }
      peer.send(chat('the last one'));
      await serve(peer, () => undefined);
    });
    const victim = await startVictim(chatting(url, false));
    const outcome = await underAttack(victim, async () => {
      await waitFor(async () => (await foreignEvents(victim)).some(({ text }) => text === 'the last one'), {
        what: 'the last one',
        timeout: 30_000,
        interval: 200,
      });
      return count;
    });
    expectUnharmed(outcome, { growth: 150 });
    expect((await foreignEvents(victim)).map(({ kind, text }) => `${kind} ${text}`)).toEqual(['message the last one']);
  });
});

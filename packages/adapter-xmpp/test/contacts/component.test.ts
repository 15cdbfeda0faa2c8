import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthFailed, ConfigInvalid, Conflict, NotConnected, Rejected } from '@magpie/contract';
import { type Peer, waitFor } from '@magpie/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { xmppAdapter } from '../../src/index.ts';
import { admitted, attributeOf, refusal, result } from '../support/fake-xmpp.ts';
import { fakeLink, fromRoom, manualSink, NEVER, sendText, textOf } from '../support/link.ts';

const SECRET = 'canary-component-secret';
const KEYS = {
  mode: 'component',
  jid: undefined,
  password: undefined,
  domain: 'Devices.localhost',
  secret: SECRET,
} as const;

/** Opens the server's side of the stream and takes the handshake, which proves the secret. */
async function header(peer: Peer): Promise<string> {
  const sent = (await peer.expect(/<stream:stream[^>]*>/)).toString();
  peer.send(
    "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' id='s-1' from='devices.localhost'>",
  );
  return sent;
}

async function handshake(peer: Peer): Promise<void> {
  await header(peer);
  const proof = createHash('sha1').update(`s-1${SECRET}`).digest('hex');
  await peer.expect(new RegExp(`<handshake>${proof}</handshake>`));
  peer.send('<handshake/>');
}

const ELEMENT = /<(presence|iq|message)\b[^>]*?(?:\/>|>[\s\S]*?<\/\1>)/;

/** Returns to the component what it sends to itself, as a server does; all else goes to `seen`, and what `answer` says back. */
async function route(
  peer: Peer,
  seen: string[] = [],
  answer: (element: string) => string | undefined = () => undefined,
): Promise<void> {
  for (;;) {
    const bytes = (await peer.expect(ELEMENT, 60_000).catch(() => undefined))?.toString();
    const element = bytes && ELEMENT.exec(bytes)?.[0];
    if (!element) return;
    if (/^[^>]* to="[^"]*devices\.localhost/.test(element)) peer.send(element);
    else {
      seen.push(element);
      const reply = answer(element) ?? (element.startsWith('<iq') ? result(element, '') : undefined);
      if (reply !== undefined) peer.send(reply);
    }
  }
}

describe('component mode (XEP-0114)', () => {
  it('proves the secret, names itself on every stanza, and is confirmed by what it asks itself', async () => {
    const seen: string[] = [];
    const { connection, details } = await fakeLink(async (peer) => {
      await handshake(peer);
      await route(peer, seen);
    }, KEYS);
    await connection.connect(NEVER);
    await connection.receive([], manualSink().sink);
    await expect(sendText(connection, 'hello')).resolves.toEqual({ confirmedBy: 'server-answer' });
    await connection.probe(NEVER);
    const [message = ''] = seen;
    expect(attributeOf(message, 'from')).toBe('magpie@devices.localhost/magpie');
    expect(attributeOf(message, 'to')).toBe('peer@localhost');
    expect(details.get('session')).toContain('new as magpie@devices.localhost');
  });

  it('speaks as the address that a target names, and never as one that is not its own', async () => {
    const seen: string[] = [];
    const { connection } = await fakeLink(async (peer) => {
      await handshake(peer);
      await route(peer, seen);
    }, KEYS);
    await connection.connect(NEVER);
    await connection.receive([], manualSink().sink);
    const send = (from: string) =>
      connection.send(
        {
          id: from,
          ref: from,
          delivery: from,
          body: Buffer.from('x'),
          headers: [],
          via: [],
          time: 0,
          redelivered: false,
        },
        { address: { scheme: 'jid', segments: ['peer', 'localhost'] }, options: { from } },
        NEVER,
      );
    await send('Pump 7/a');
    await send('pump-8@devices.localhost');
    expect(seen.map((each) => attributeOf(each, 'from'))).toEqual([
      'pump\\207\\2fa@devices.localhost',
      'pump-8@devices.localhost',
    ]);
    for (const foreign of ['boss@localhost', 'a@sub.devices.localhost', 'a@devices.localhost.evil.example']) {
      await expect(send(foreign)).rejects.toThrow(Rejected);
    }
    expect(seen).toHaveLength(2);
  });

  it('hands over what is said to any of its addresses, and says to which', async () => {
    const { sink, calls } = manualSink();
    const { connection } = await fakeLink(async (peer) => {
      await handshake(peer);
      peer.send(
        "<message from='alice@localhost/phone' to='pump-7@devices.localhost' type='chat'><body>on</body></message>",
      );
      await route(peer);
    }, KEYS);
    await connection.connect(NEVER);
    await connection.receive([{ pattern: { scheme: 'contact', segments: [{ type: 'one' }] }, options: {} }], sink);
    await expect.poll(() => calls.length).toBe(1);
    expect(calls[0]?.events[0]).toMatchObject({
      address: { scheme: 'contact', segments: ['pump-7'] },
      replyTo: { scheme: 'jid', segments: ['alice', 'localhost', 'phone'] },
      origin: { from: 'alice@localhost/phone', to: 'pump-7@devices.localhost' },
    });
    expect(calls[0]?.texts).toEqual([textOf({ body: Buffer.from('on') })]);
    calls[0]?.answer();
  });

  it.each([
    ['not-authorized', AuthFailed, 'check secret and domain'],
    ['host-unknown', ConfigInvalid, 'no component of this domain'],
    ['conflict', Conflict, 'another link is this component already'],
    ['internal-server-error', NotConnected, 'internal-server-error'],
  ])('understands %s, and shows no secret', async (condition, kind, words) => {
    const { connection } = await fakeLink(async (peer) => {
      await header(peer);
      await peer.expect(/<handshake>/);
      peer.send(
        `<stream:error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>`,
      );
      peer.end();
    }, KEYS);
    const error: unknown = await connection.connect(NEVER).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toContain(words);
    expect(String(error)).not.toContain(SECRET);
  });

  it.each([
    ['a message before the handshake', "<message from='a@b' to='x@devices.localhost'><body>x</body></message>"],
    ['features', '<stream:features/>'],
    ['stream management', "<enabled xmlns='urn:xmpp:sm:3' id='x' resume='true'/>"],
    ['a success', "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"],
  ])('ends the link on %s that nothing has asked for', async (_, element) => {
    const { connection } = await fakeLink(async (peer) => {
      await header(peer);
      await peer.expect(/<handshake>/);
      peer.send(element);
      await peer.expect(/never/, 5_000).catch(() => undefined);
    }, KEYS);
    await expect(connection.connect(NEVER)).rejects.toThrow('where it has no place');
  });

  it('tells who writes to it while it stops that nothing is taken in any more', async () => {
    const seen: string[] = [];
    const said = Promise.withResolvers<void>();
    const { sink, calls } = manualSink();
    const { connection } = await fakeLink(async (peer) => {
      await handshake(peer);
      void said.promise.then(() =>
        peer.send("<message from='alice@localhost/phone' to='p@devices.localhost' id='m1'><body>late</body></message>"),
      );
      await route(peer, seen);
    }, KEYS);
    await connection.connect(NEVER);
    await connection.receive([{ pattern: { scheme: 'contact', segments: [{ type: 'one' }] }, options: {} }], sink);
    await connection.quiesce(NEVER);
    said.resolve();
    await expect.poll(() => seen.length).toBe(1);
    expect(seen[0]).toContain('<message id="m1" to="alice@localhost/phone" from="p@devices.localhost" type="error">');
    expect(seen[0]).toContain('<error type="wait"><recipient-unavailable');
    expect(calls).toEqual([]);
  });

  it('leaves a room that it may still be in before it joins, and when it says goodbye', async () => {
    const seen: string[] = [];
    const { connection } = await fakeLink(async (peer) => {
      await handshake(peer);
      await route(peer, seen, (element) => {
        if (!element.startsWith('<presence')) return undefined;
        const [to, type] = [attributeOf(element, 'to'), attributeOf(element, 'type')];
        return type === 'unavailable'
          ? refusal(element, 'item-not-found', 'cancel')
          : admitted(`<presence to="${to}">`);
      });
    }, KEYS);
    await connection.connect(NEVER);
    await connection.receive([fromRoom('ops', 'rooms.localhost')], manualSink().sink);
    await connection.close(AbortSignal.timeout(1_000));
    const presences = seen.filter((element) => attributeOf(element, 'to') === 'ops@rooms.localhost/magpie');
    expect(presences.map((element) => attributeOf(element, 'type'))).toEqual(['unavailable', '', 'unavailable']);
  });

  it('ends the link on a stanza for an address that is not its own', async () => {
    const { connection, lost } = await fakeLink(async (peer) => {
      await handshake(peer);
      await peer.expect(/<iq/);
      peer.send("<message from='a@b' to='boss@localhost'><body>x</body></message>");
      await route(peer);
    }, KEYS);
    await connection.connect(NEVER);
    await expect(connection.probe(NEVER)).rejects.toThrow('no address of devices.localhost');
    expect(lost[0]?.message).toContain('no address of devices.localhost');
  });

  it('answers who asks for the pictures of all its contacts at once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'magpie-pictures-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const photo = join(folder, 'pump.png');
    writeFileSync(photo, Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(120 * 1024)]));
    const seen: string[] = [];
    const state = { send: (_: string): void => undefined };
    const { connection, lost } = await fakeLink(
      async (peer) => {
        await handshake(peer);
        state.send = (text) => peer.send(text);
        await route(peer, seen);
      },
      { ...KEYS, contacts: { allow: ['*@localhost'], cards: [{ contact: 'pump', photo }] } },
    );
    await connection.connect(NEVER);
    await connection.receive([], manualSink().sink);
    await sendText(connection, 'there', 'contact', ['pump'], { presence: { available: true } });
    const questions = Array.from(
      { length: 30 },
      (_, id) =>
        `<iq type='get' id='q${id}' from='alice@localhost/x' to='pump@devices.localhost'><vCard xmlns='vcard-temp'/></iq>`,
    );
    state.send(questions.join(''));
    await waitFor(() => seen.length === questions.length || lost.length > 0, { what: 'the cards', timeout: 10_000 });
    expect(lost).toEqual([]);
    expect(seen.map((each) => attributeOf(each, 'id'))).toEqual(questions.map((_, id) => `q${id}`));
    expect(seen.every((each) => each.includes('<BINVAL>'))).toBe(true);
  });
});

describe('configuration of a component', () => {
  const problems = (keys: object): string =>
    (xmppAdapter.connectionSchema.safeParse({ mode: 'component', ...keys }).error?.issues ?? [])
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('\n');
  const minimal = { domain: 'devices.example.org', secret: 's', url: 'xmpp://127.0.0.1:5347' };

  it('needs a domain, a secret and a url', () => {
    expect(problems(minimal)).toBe('');
    expect(problems({})).toContain('expected the key "domain"');
    expect(problems({})).toContain('expected the key "secret"');
    expect(problems({})).toContain('expected the key "url"');
  });

  it('refuses what has no meaning, a foreign address, and a clear link across a network', () => {
    expect(problems({ ...minimal, password: 'p' })).toContain('"password" has no meaning with mode: component');
    expect(problems({ ...minimal, jid: 'magpie@example.org' })).toContain(
      'an address of the domain devices.example.org',
    );
    expect(problems({ ...minimal, url: 'xmpp://chat.example.org:5347' })).toContain('a component has no TLS');
    expect(problems({ ...minimal, url: 'xmpp://chat.example.org:5347', tls: { required: false } })).toBe('');
    expect(problems({ ...minimal, url: 'xmpps://chat.example.org:5347' })).toBe('');
  });
});

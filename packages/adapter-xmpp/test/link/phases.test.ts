import { type Peer, waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import {
  answerDisco,
  authenticate,
  bind,
  challenge,
  chat,
  ENABLED,
  mechanisms,
  newSession,
  offerSession,
  openStream,
  PASSWORD,
} from '../support/fake-xmpp.ts';
import { FROM_ANYBODY, fakeLink, manualSink, NEVER } from '../support/link.ts';

const SM = 'urn:xmpp:sm:3';
const TLS = 'urn:ietf:params:xml:ns:xmpp-tls';
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const STARTTLS = `<starttls xmlns='${TLS}'><required/></starttls>`;

/** Everything a server can send, by the name that the test prints. */
const ELEMENTS: Readonly<Record<string, string>> = {
  features: `<stream:features>${mechanisms('SCRAM-SHA-256')}</stream:features>`,
  proceed: `<proceed xmlns='${TLS}'/>`,
  'tls failure': `<failure xmlns='${TLS}'/>`,
  challenge: `<challenge xmlns='${SASL}'>cj0x</challenge>`,
  success: `<success xmlns='${SASL}'/>`,
  'sasl failure': `<failure xmlns='${SASL}'><not-authorized/></failure>`,
  resumed: `<resumed xmlns='${SM}' h='0' previd='x'/>`,
  enabled: ENABLED,
  'sm failed': `<failed xmlns='${SM}'/>`,
  r: `<r xmlns='${SM}'/>`,
  a: `<a xmlns='${SM}' h='0'/>`,
  message: chat('!pump on'),
  presence: "<presence from='peer@localhost/x'/>",
  'iq get': "<iq type='get' id='1' from='localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
  'iq result': "<iq type='result' id='nobody'/>",
  unknown: "<hello xmlns='urn:example:nobody'/>",
};
const STANZAS = ['message', 'presence', 'iq get', 'iq result'];

interface Case {
  readonly keys?: Readonly<Record<string, unknown>>;
  readonly expected: readonly string[];
  /** A session was lost before, so that the login tries to resume it. */
  readonly resumes?: true;
  /** Brings the link into the phase. */
  reach(peer: Peer): Promise<void>;
}

async function resume(peer: Peer): Promise<void> {
  await authenticate(peer);
  await offerSession(peer);
  await peer.expect(/<resume [^>]*>/);
}

const tlsOffered = (peer: Peer): Promise<void> => openStream(peer, STARTTLS);
const OPEN =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s' from='localhost' version='1.0'>";

const PHASES: Readonly<Record<string, Case>> = {
  'the header, with TLS required': {
    keys: { tls: { required: true } },
    expected: ['features'],
    reach: async (peer) => {
      await peer.expect(/<stream:stream[^>]*>/);
      peer.send(OPEN);
    },
  },
  'the header, in clear': {
    expected: ['features'],
    reach: async (peer) => {
      await peer.expect(/<stream:stream[^>]*>/);
      peer.send(OPEN);
    },
  },
  STARTTLS: {
    keys: { tls: { required: true } },
    expected: ['proceed', 'tls failure'],
    reach: async (peer) => {
      await tlsOffered(peer);
      await peer.expect(/<starttls/);
    },
  },
  'the login': {
    expected: ['challenge', 'success', 'sasl failure'],
    reach: async (peer) => {
      await openStream(peer, mechanisms('SCRAM-SHA-256'));
      await challenge(peer);
      await peer.expect(/<response/);
    },
  },
  'the second features': {
    expected: ['features'],
    reach: async (peer) => {
      await authenticate(peer);
      await peer.expect(/<stream:stream[^>]*>/);
      peer.send(OPEN);
    },
  },
  'the new stream that was not opened': {
    expected: [],
    reach: (peer) => authenticate(peer),
  },
  'resuming a session': {
    resumes: true,
    expected: ['resumed', 'sm failed'],
    reach: resume,
  },
  'a resumed session': {
    resumes: true,
    expected: ['r', 'a', ...STANZAS],
    reach: async (peer) => {
      await resume(peer);
      peer.send(ELEMENTS.resumed!);
    },
  },
  'binding after a refused resumption': {
    resumes: true,
    expected: [],
    reach: async (peer) => {
      await resume(peer);
      peer.send(ELEMENTS['sm failed']!);
      await peer.expect(/<iq /);
    },
  },
  'enabling after a refused resumption': {
    resumes: true,
    expected: ['enabled', 'sm failed', ...STANZAS],
    reach: async (peer) => {
      await resume(peer);
      peer.send(ELEMENTS['sm failed']!);
      await bind(peer);
    },
  },
  'binding a resource': {
    expected: [],
    reach: async (peer) => {
      await authenticate(peer);
      await offerSession(peer);
      await peer.expect(/<iq /);
    },
  },
  'enabling stream management': {
    expected: ['enabled', 'sm failed', ...STANZAS],
    reach: async (peer) => {
      await authenticate(peer);
      await offerSession(peer);
      await bind(peer);
    },
  },
  'the session': { expected: ['r', 'a', ...STANZAS], reach: (peer) => newSession(peer) },
  'a session without stream management': {
    expected: STANZAS,
    reach: async (peer) => {
      await authenticate(peer);
      await offerSession(peer);
      await bind(peer);
      peer.send(`<failed xmlns='${SM}'/>`);
      await answerDisco(peer);
    },
  },
};

/** What the connection said, and what of it came to the gateway, when an element is sent in a phase. */
async function send(phase: string, element: string) {
  const { keys, reach, resumes } = PHASES[phase]!;
  const reached = Promise.withResolvers<void>();
  const written: string[] = [];
  const { connection, lost } = await fakeLink(async (peer) => {
    if (resumes && peer.index === 0) {
      await newSession(peer);
      await peer.expect(/<presence/);
      peer.reset();
      return;
    }
    await reach(peer);
    peer.send(`${element}${chat('!forged')}`);
    reached.resolve();
    const closed = (): undefined => undefined;
    for (let bytes: Buffer | undefined; ; written.push(bytes.toString())) {
      bytes = await peer.expect(/[\s\S]+/, 60_000).catch(closed);
      if (!bytes) return;
    }
  }, keys);
  const { sink, calls } = manualSink();
  const refused: Error[] = [];
  if (resumes) {
    await connection.connect(NEVER);
    await connection.receive([FROM_ANYBODY], sink).catch(() => undefined); // It may hear of the lost link.
    await waitFor(() => lost.splice(0).length > 0, { what: 'the first link is lost' });
  }
  const work = connection
    .connect(NEVER)
    .then(() => connection.receive([FROM_ANYBODY], sink))
    .catch((error: Error) => void refused.push(error));
  await reached.promise;
  await waitFor(() => lost.length + refused.length > 0, { what: 'the link ends' });
  await work;
  return { error: lost[0] ?? refused[0]!, texts: calls.flatMap(({ texts }) => texts), written: written.join('') };
}

describe('an element that nobody asked for ends the link', () => {
  const cases = Object.entries(PHASES).flatMap(([phase, { expected }]) =>
    Object.keys(ELEMENTS)
      .filter((name) => !expected.includes(name))
      .map((name) => [name, phase] as const),
  );

  it.each(cases)('%s in %s', async (name, phase) => {
    const { error, texts, written } = await send(phase, ELEMENTS[name]!);
    expect(error.message).toMatch(/in the phase "[a-z]+": expected/);
    expect(texts).toEqual([]);
    expect(written).not.toContain(Buffer.from(PASSWORD).toString('base64'));
  });

  it('a success before the login was sent is an impostor', async () => {
    const { error } = await send('the header, in clear', `${ELEMENTS.features}${ELEMENTS.success}`);
    expect(error.message).toMatch(/before we had sent a login|it may be an impostor/);
  });

  it('what stands in clear behind the permission for TLS is dropped with the clear stream', async () => {
    const { connection } = await fakeLink(
      async (peer) => {
        await tlsOffered(peer);
        await peer.expect(/<starttls/);
        peer.send(`${ELEMENTS.proceed}${ELEMENTS.success}${ELEMENTS.resumed}`);
        await peer.expect(/\x16/); // the client's TLS handshake
        peer.send('not TLS');
      },
      { tls: { required: true } },
    );
    await expect(connection.connect(NEVER)).rejects.toMatchObject({ message: expect.stringMatching(/TLS|SSL/) });
  });
});

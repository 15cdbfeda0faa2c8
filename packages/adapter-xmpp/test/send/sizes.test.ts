import { memoryStore, waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { admitted, forgottenSession, isJoin, newSession, serve } from '../support/fake-xmpp.ts';
import { fakeLink, fromRoom, manualSink, NEVER, sendText } from '../support/link.ts';

const ROOM = ['ops', 'rooms.localhost'];
const TOO_BIG =
  "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>XML stanza is too big</text></stream:error>";
const OTHER =
  "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Too many unacked stanzas</text></stream:error>";

/** A connection to a server that answers the message `big` with a stream error. */
async function limited(streamError: string, keys = {}, { store = memoryStore(), offers = '' } = {}) {
  const written: string[] = [];
  const made = await fakeLink(
    async (peer) => {
      await (peer.index === 0 ? newSession(peer, '', offers) : forgottenSession(peer));
      await serve(peer, (element) => {
        if (isJoin(element)) return admitted(element);
        if (!element.startsWith('<message')) return undefined;
        const body = /<body>([^<]{1,5})/.exec(element)?.[1] ?? '';
        written.push(body);
        if (body.startsWith('big')) return streamError;
        return /groupchat/.test(element) ? element.replace(/ to="([^"]*)"/, " from='$1/magpie'") : '';
      });
    },
    keys,
    store,
  );
  const connect = async (): Promise<void> => {
    await made.connection.connect(NEVER);
    await made.connection.receive([fromRoom('ops', 'rooms.localhost')], manualSink().sink);
  };
  await connect();
  return { ...made, written, connect };
}

const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'sent',
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe('the size of a message', () => {
  it.each([
    ['32KiB', 'hello', true],
    ['60KiB', 'x'.repeat(30_000), true],
    ['60KiB', 'x'.repeat(60_000), true],
    ['60KiB', 'x'.repeat(61_440), false],
    ['60KiB', '<'.repeat(20_000), false],
  ])('is that of its whole stanza: maxStanzaBytes %s', async (maxStanzaBytes, text, passes) => {
    const { connection } = await limited(TOO_BIG, { maxStanzaBytes });
    const sent = outcome(sendText(connection, text));
    if (passes) expect(await sent).toBe('sent');
    else expect(await sent).toMatch(/^TooLarge: a stanza of \d+ bytes, more than maxStanzaBytes \(61440\)/);
  });
});

describe('a stanza that is larger than the server takes', () => {
  it.each(['jid', 'room'] as const)(
    'is refused once, with the words of the server, and disturbs no other (%s)',
    async (scheme) => {
      const place = scheme === 'room' ? ROOM : ['peer', 'localhost'];
      const { connection, written, lost, details, connect } = await limited(TOO_BIG);
      const [small, big] = await Promise.all([
        outcome(sendText(connection, 'small', scheme, place)),
        outcome(sendText(connection, `big${'x'.repeat(70_000)}`, scheme, place)),
      ]);
      expect(big).toMatch(/^TooLarge: .*XML stanza is too big.* over a stanza of 7\d{4} bytes: set maxStanzaBytes/);
      expect(small).toMatch(/^(sent|Unknown)/);
      await waitFor(() => lost.length === 1, { what: 'the lost link' });
      expect(details.get('stanza size')).toMatch(/refuses 7\d{4} bytes/);
      await connect();
      const before = written.length;
      expect(await outcome(sendText(connection, `big2${'x'.repeat(70_001)}`, scheme, place))).toMatch(
        /^TooLarge: .*the server refused one of/,
      );
      expect(written).toHaveLength(before);
      expect(await outcome(sendText(connection, 'after', scheme, place))).toBe('sent');
      expect(lost).toHaveLength(1);
    },
  );

  it('is blamed only for its size', async () => {
    const { connection } = await limited(OTHER);
    expect(await outcome(sendText(connection, `big${'x'.repeat(70_000)}`))).toMatch(/^Unknown: .*Too many unacked/);
  });

  it('is not taken for a message when it was an answer to somebody', async () => {
    const asked = `<iq type='get' id='${'x'.repeat(9_000)}' from='mallory@localhost/x'><ping xmlns='urn:xmpp:ping'/></iq>`;
    const { connection, details } = await limited(asked + TOO_BIG);
    expect(await outcome(sendText(connection, 'big as others'))).toMatch(/^Unknown: /);
    expect(details.get('stanza size')).toBeUndefined();
  });

  it('is not sent by the next process either, until another limit is configured', async () => {
    const store = memoryStore();
    const first = await limited(TOO_BIG, {}, { store });
    await outcome(sendText(first.connection, `big${'x'.repeat(70_000)}`));
    await waitFor(() => first.lost.length === 1, { what: 'the lost link' });
    await first.connection.close(AbortSignal.abort());
    const second = await limited(TOO_BIG, {}, { store });
    expect(second.details.get('stanza size')).toMatch(/refuses 7\d{4} bytes/);
    expect(await outcome(sendText(second.connection, `big2${'x'.repeat(70_001)}`))).toMatch(
      /the server refused one of/,
    );
    expect(second.written).toEqual([]);
    const third = await limited(OTHER, { maxStanzaBytes: '100KiB' }, { store });
    expect(third.details.get('stanza size')).toBeUndefined();
    expect(await outcome(sendText(third.connection, `fine${'x'.repeat(70_001)}`))).toBe('sent');
  });
});

describe('a server that says how large a stanza may be (XEP-0478)', () => {
  const says = (bytes: string): string =>
    `<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>${bytes}</max-bytes><idle-seconds>1800</idle-seconds></limits>`;

  it('is sent none that is larger, and keeps its link', async () => {
    const { connection, written, lost } = await limited(TOO_BIG, {}, { offers: says('50000') });
    expect(await outcome(sendText(connection, `big${'x'.repeat(50_000)}`))).toMatch(
      /^TooLarge: a stanza of 5\d{4} bytes, more than the server takes by its own word \(50000\)/,
    );
    expect(await outcome(sendText(connection, 'x'.repeat(49_000)))).toBe('sent');
    expect([written, lost]).toEqual([['xxxxx'], []]);
  });

  it('gets larger ones than usual, unless maxStanzaBytes says less', async () => {
    const more = await limited(OTHER, {}, { offers: says('1000000') });
    expect(await outcome(sendText(more.connection, 'x'.repeat(500_000)))).toBe('sent');
    const less = await limited(OTHER, { maxStanzaBytes: '60KiB' }, { offers: says('1000000') });
    expect(await outcome(sendText(less.connection, 'x'.repeat(70_000)))).toMatch(/more than maxStanzaBytes \(61440\)/);
  });

  it.each(['', 'many', '-1', '12'])('is not believed when that makes no sense: "%s"', async (bytes) => {
    const { connection } = await limited(OTHER, {}, { offers: says(bytes) });
    expect(await outcome(sendText(connection, 'x'.repeat(200_000)))).toBe('sent');
  });
});

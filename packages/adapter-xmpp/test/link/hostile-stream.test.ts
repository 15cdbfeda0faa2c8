import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { chat, newSession, refuseCopies } from '../support/fake-xmpp.ts';
import { FROM_ANYBODY, fakeLink, manualSink, NEVER } from '../support/link.ts';

/** Connects, lets the server send this, and returns the link. */
async function receiving(bytes: readonly (string | Uint8Array)[], keys = {}) {
  const ready = Promise.withResolvers<void>();
  const link = await fakeLink(async (peer) => {
    await newSession(peer);
    await refuseCopies(peer);
    await ready.promise;
    for (const part of bytes) {
      peer.send(part);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, keys);
  const { sink, calls } = manualSink();
  await link.connection.connect(NEVER);
  await link.connection.receive([FROM_ANYBODY], sink);
  ready.resolve();
  return { ...link, calls };
}

describe('a stream that is not what it should be', () => {
  it.each([
    ['an unknown entity', chat('&nbsp;')],
    ['a forbidden character', chat('&#0;')],
    ['a document type', '<!DOCTYPE x [<!ENTITY a "b">]>'],
    ['a comment', '<!-- x -->'],
    ['tags that do not match', '<message></iq>'],
    ['a stanza without end', `<message><body>${'x'.repeat(1_200_000)}`],
    ['a stream error', "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"],
  ])('loses the link, and nothing else, by %s', async (_, bytes) => {
    const { lost } = await receiving([bytes, 'x', 'x'], { maxStanzaBytes: '64KiB' });
    await waitFor(() => lost.length > 0, { what: 'the link is lost' });
    expect(lost.map(({ name }) => name)).toEqual(['NotConnected']);
  });

  it('stops on a conflict: another client has taken our place', async () => {
    const { lost } = await receiving([
      "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
    ]);
    await waitFor(() => lost.length > 0, { what: 'the link is lost' });
    expect(lost[0]?.name).toBe('Conflict');
  });

  it('takes a message with elements nested too deep without them', async () => {
    const deep = `${'<a>'.repeat(50_000)}x${'</a>'.repeat(50_000)}`;
    const { calls, lost } = await receiving([chat('shallow').replace('</message>', `${deep}</message>`), chat('next')]);
    await waitFor(() => calls.flatMap(({ texts }) => texts).length === 2 || lost.length > 0, { what: 'both messages' });
    expect(calls.flatMap(({ texts }) => texts)).toEqual(['shallow', 'next']);
  });

  it('takes what servers hand on to each other, however small the stanzas it sends are to be', async () => {
    const large = 'x'.repeat(512 * 1024);
    const { calls, lost } = await receiving([chat(large)], { maxStanzaBytes: '10kB' });
    await waitFor(() => calls.length > 0 || lost.length > 0, { what: 'the message or a lost link' });
    expect(calls[0]?.texts).toEqual([large]);
  });

  it('survives a stanza from an impossible address', async () => {
    const bad = "<message from='@'><body>x</body></message><iq from='@' type='get' id='1'><x xmlns='y'/></iq>";
    const { calls, lost } = await receiving([bad, chat('good')]);
    await waitFor(() => calls.some(({ texts }) => texts.includes('good')) || lost.length > 0, {
      what: 'the next message or a lost link',
    });
  });

  it('puts characters together that arrive in pieces', async () => {
    const bytes = Buffer.from(chat('a😀é'));
    const pieces = [...bytes].map((byte) => Uint8Array.of(byte));
    const cut = bytes.indexOf(0xf0);
    const { calls } = await receiving([bytes.subarray(0, cut), ...pieces.slice(cut, cut + 6), bytes.subarray(cut + 6)]);
    await waitFor(() => calls.length > 0, { what: 'the message arrives' });
    expect(calls[0]?.texts).toEqual(['a😀é']);
  });
});

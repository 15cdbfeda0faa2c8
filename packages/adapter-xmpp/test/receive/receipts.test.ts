import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { newSession, serve } from '../support/fake-xmpp.ts';
import { FROM_ANYBODY, fakeLink, manualSink, NEVER } from '../support/link.ts';

const ASKS = "<request xmlns='urn:xmpp:receipts'/>";
const said = (attributes: string, inside = ASKS): string =>
  `<message from='peer@localhost/x' ${attributes}><body>hello</body>${inside}</message>`;

/** A connection that gets these messages, and the receipts it sends. */
async function asked(messages: readonly string[], sources = [FROM_ANYBODY], keys = {}) {
  const receipts: string[] = [];
  const { connection } = await fakeLink(async (peer) => {
    await newSession(peer);
    peer.send(messages.join(''));
    await serve(peer, (element) => {
      if (element.includes('urn:xmpp:receipts')) receipts.push(element);
      return undefined;
    });
  }, keys);
  const sink = manualSink();
  await connection.connect(NEVER);
  await connection.receive(sources, sink.sink);
  return { receipts, sink, connection };
}

describe('a sender who asks for a receipt', () => {
  it('gets it once the message is on disk, not before', async () => {
    const { receipts, sink, connection } = await asked([said("id='m1' type='chat'")]);
    await waitFor(() => sink.calls.length === 1, { what: 'the message' });
    await connection.probe(NEVER);
    expect(receipts).toEqual([]);
    sink.calls[0]?.answer();
    await waitFor(() => receipts.length === 1, { what: 'the receipt' });
    expect(receipts[0]).toContain(
      '<message to="peer@localhost/x" type="chat"><received xmlns="urn:xmpp:receipts" id="m1"/>',
    );
  });

  it('gets it once all targets have the message, and none when one never will', async () => {
    const { receipts, sink, connection } = await asked([said("id='m1' type='chat'") + said("id='m2' type='chat'")]);
    await waitFor(() => sink.calls.flatMap(({ texts }) => texts).length === 2, { what: 'the messages' });
    expect(sink.calls.flatMap(({ events }) => events).map(({ awaitsDelivery }) => awaitsDelivery)).toEqual([
      true,
      true,
    ]);
    const [first, second] = [Promise.withResolvers<boolean>(), Promise.withResolvers<boolean>()];
    sink.calls[0]?.answerEach([first.promise, second.promise]);
    await connection.probe(NEVER);
    expect(receipts).toEqual([]);
    second.resolve(false);
    first.resolve(true);
    await waitFor(() => receipts.length === 1, { what: 'the receipt' });
    await connection.probe(NEVER);
    expect(receipts).toHaveLength(1);
    expect(receipts[0]).toContain('id="m1"');
  });

  it('gets it with receipts: stored once it is on disk, and again for a repetition', async () => {
    const { receipts, sink } = await asked([said("id='m1' type='chat'")], [FROM_ANYBODY], { receipts: 'stored' });
    await waitFor(() => sink.calls.length === 1, { what: 'the message' });
    expect(sink.calls[0]?.events[0]?.awaitsDelivery).toBeUndefined();
    sink.calls[0]?.answer({ type: 'duplicate' });
    await waitFor(() => receipts.length === 1, { what: 'the receipt' });
  });

  it.each([
    ['of a repetition', said("id='m1' type='chat'"), { type: 'duplicate' }],
    ['whom the log refuses', said("id='m1' type='chat'"), { type: 'refused', reason: 'too large' }],
    ['who gives no id', said("type='chat'"), { type: 'stored' }],
    ['of a headline', said("id='m1' type='headline'"), { type: 'stored' }],
    ['who does not ask', said("id='m1' type='chat'", ''), { type: 'stored' }],
  ] as const)('gets none: %s', async (_title, message, verdict) => {
    const { receipts, sink, connection } = await asked([message]);
    await waitFor(() => sink.calls.length === 1, { what: 'the message' });
    sink.calls[0]?.answer(verdict);
    await connection.probe(NEVER);
    expect(receipts).toEqual([]);
  });

  it('gets none where nobody receives from', async () => {
    const { receipts, connection } = await asked([said("id='m1' type='chat'")], []);
    await connection.probe(NEVER);
    expect(receipts).toEqual([]);
  });
});

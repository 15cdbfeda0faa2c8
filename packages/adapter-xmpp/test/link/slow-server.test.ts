import type { Peer } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { newSession } from '../support/fake-xmpp.ts';
import { fakeLink, manualSink, NEVER, sendText } from '../support/link.ts';

const NEXT = /<r [^>]*\/>|<(presence|iq|message)\b[^>]*?(?:\/>|>[\s\S]*?<\/\1>)/;

/** Reads like a server with a shaper: so many bytes in a millisecond. It answers nothing but `<r/>`. */
async function readSlowly(peer: Peer, bytesPerMs: number): Promise<void> {
  let handled = 1;
  for (;;) {
    const element = (await peer.expect(NEXT, 30_000).catch(() => undefined))?.toString();
    if (element === undefined) return;
    await new Promise((resolve) => setTimeout(resolve, element.length / bytesPerMs));
    if (element.includes('<r ')) peer.send(`<a xmlns='urn:xmpp:sm:3' h='${handled}'/>`);
    else handled += 1;
  }
}

async function linkTo(bytesPerMs: number) {
  const made = await fakeLink(
    async (peer) => {
      await newSession(peer);
      await readSlowly(peer, bytesPerMs);
    },
    { timeout: '300ms' },
  );
  await made.connection.connect(NEVER);
  await made.connection.receive([], manualSink().sink);
  return made;
}

describe('a server that reads slowly', () => {
  it('is waited for as long as it takes to read what we have sent, also by a probe', { timeout: 20_000 }, async () => {
    const { connection, lost } = await linkTo(40);
    const big = sendText(connection, `one ${'x'.repeat(30_000)}`);
    const small = Array.from({ length: 20 }, (_, index) => sendText(connection, `small ${index} ${'x'.repeat(1_000)}`));
    await connection.probe(NEVER);
    await expect(Promise.all([big, ...small])).resolves.toHaveLength(21);
    expect(lost).toEqual([]);
  });

  it('is lost when it stops reading', { timeout: 20_000 }, async () => {
    const { connection, lost } = await linkTo(0.001);
    await expect(sendText(connection, 'x')).rejects.toMatchObject({ name: 'Unknown' });
    expect(lost[0]?.message).toContain('has not acknowledged');
    expect(lost).toHaveLength(1);
  });
});

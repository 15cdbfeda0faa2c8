import { describe, expect, it } from 'vitest';
import {
  answerDisco,
  authenticate,
  bind,
  challenge,
  ENABLED,
  mechanisms,
  newSession,
  offerSession,
  openStream,
} from '../support/fake-xmpp.ts';
import { fakeLink, NEVER, sendText } from '../support/link.ts';

describe('login', () => {
  it('sends nothing before stream management is enabled', async () => {
    const bound = Promise.withResolvers<void>();
    const enable = Promise.withResolvers<void>();
    const { connection } = await fakeLink(async (peer) => {
      await authenticate(peer);
      await offerSession(peer);
      await bind(peer);
      bound.resolve();
      await enable.promise;
      peer.send(ENABLED);
      await answerDisco(peer);
    });
    const connected = connection.connect(NEVER);
    await bound.promise;
    await expect(sendText(connection, 'early')).rejects.toMatchObject({ name: 'NotConnected' });
    enable.resolve();
    await connected;
  });

  it('refuses a server that does not know the password', async () => {
    const { connection } = await fakeLink((peer) => authenticate(peer, true));
    await expect(connection.connect(NEVER)).rejects.toMatchObject({
      name: 'AuthFailed',
      message: expect.stringContaining('impostor'),
    });
  });

  it('sends nothing of the login when TLS is required and not offered', async () => {
    const sent = Promise.withResolvers<string>();
    const { connection } = await fakeLink(
      async (peer) => {
        await openStream(peer, mechanisms('PLAIN', 'SCRAM-SHA-256'));
        sent.resolve((await peer.expect(/<auth/, 1_000).catch(() => 'nothing')).toString());
      },
      { tls: { required: true } },
    );
    await expect(connection.connect(NEVER)).rejects.toMatchObject({
      name: 'AuthFailed',
      message: expect.stringContaining('no STARTTLS'),
    });
    expect(await sent.promise).toBe('nothing');
  });

  it('never sends the password in clear', async () => {
    const { connection } = await fakeLink((peer) => openStream(peer, mechanisms('PLAIN')));
    await expect(connection.connect(NEVER)).rejects.toMatchObject({
      name: 'AuthFailed',
      message: expect.stringContaining('PLAIN is never used on a link without TLS'),
    });
  });

  it('logs in again after a link that was lost in the middle of the login', async () => {
    const { connection } = await fakeLink(async (peer) => {
      if (peer.index > 0) return newSession(peer);
      await openStream(peer, mechanisms('SCRAM-SHA-256'));
      await challenge(peer);
      peer.reset();
    });
    await expect(connection.connect(NEVER)).rejects.toMatchObject({ name: 'NotConnected' });
    await connection.connect(NEVER);
  });

  it('says AuthFailed for refused credentials, and tells what to check', async () => {
    const { connection } = await fakeLink(async (peer) => {
      await openStream(peer, mechanisms('SCRAM-SHA-256'));
      await challenge(peer);
      await peer.expect('</response>');
      peer.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
    });
    await expect(connection.connect(NEVER)).rejects.toMatchObject({
      name: 'AuthFailed',
      message: expect.stringContaining('check jid and password'),
    });
  });

  it('takes bytes that are no XML for a broken link', async () => {
    const { connection } = await fakeLink(async (peer) => {
      await openStream(peer, mechanisms('SCRAM-SHA-256'));
      peer.send('</wrong></></stream:stream>');
    });
    await expect(connection.connect(NEVER)).rejects.toMatchObject({ name: 'NotConnected' });
  });
});

import { createServer } from 'node:net';
import { scriptedServer } from '@magpie/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findEndpoints } from '../../src/link/dial.ts';
import { newSession, PASSWORD, serve } from '../support/fake-xmpp.ts';
import { makeLink, manualSink, NEVER } from '../support/link.ts';
import { resolver } from '../support/resolver.ts';

const DOMAIN = 'chat.example.org';
const STARTTLS = `_xmpp-client._tcp.${DOMAIN}`;
const DIRECT = `_xmpps-client._tcp.${DOMAIN}`;
const record = (priority: number, port: number, target = 'localhost', weight = 5) => ({
  priority,
  weight,
  port,
  target,
});

describe('the server of a domain', () => {
  it('is found by its SRV records, those for direct TLS (XEP-0368) among the others by priority', async () => {
    const asked = await resolver({
      [STARTTLS]: [record(30, 5222, 'c.example.org'), record(10, 5222, 'a.example.org')],
      [DIRECT]: [record(20, 5223, 'b.example.org')],
    });
    await expect(findEndpoints(undefined, DOMAIN)).resolves.toMatchObject([
      { host: 'a.example.org', port: 5222, direct: false },
      { host: 'b.example.org', port: 5223, direct: true },
      { host: 'c.example.org', port: 5222, direct: false },
    ]);
    expect(asked.toSorted()).toEqual([STARTTLS, DIRECT]);
  });

  it('is the domain itself without records, and where they say that there is none', async () => {
    await resolver({ [DIRECT]: [record(0, 0, '.')] });
    await expect(findEndpoints(undefined, DOMAIN)).resolves.toEqual([{ host: DOMAIN, port: 5222, direct: false }]);
  });

  it('of several equal ones is now the one and now the other, by weight', async () => {
    await resolver({ [STARTTLS]: [record(1, 1, 'a.example.org', 0), record(1, 2, 'b.example.org', 60_000)] });
    const first = new Set<string>();
    for (let round = 0; round < 5; round++) first.add((await findEndpoints(undefined, DOMAIN))[0]?.host ?? '');
    expect([...first]).toContain('b.example.org');
  });

  it('is the next one when the first does not answer', async () => {
    const server = await scriptedServer(async (peer) => {
      await newSession(peer);
      await serve(peer, () => undefined);
    });
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
    const { port } = dead.address() as { port: number };
    await new Promise((resolve) => dead.close(resolve));
    await resolver({ '_xmpp-client._tcp.localhost': [record(1, port), record(2, server.port)] });
    const { connection } = makeLink({ jid: 'user@localhost', password: PASSWORD, tls: { required: false } });
    onTestFinished(async () => {
      await connection.close(AbortSignal.abort());
      await server.close();
    });
    await connection.connect(NEVER);
    await connection.receive([], manualSink().sink);
    await connection.probe(NEVER);
  });
});

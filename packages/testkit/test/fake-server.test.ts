import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Peer, type ScriptedServer, scriptedServer } from '../src/index.ts';

describe('scriptedServer', () => {
  let server: ScriptedServer | undefined;
  afterEach(() => server?.close().catch(() => undefined));

  const dial = async (script: (peer: Peer) => Promise<void>) => {
    server = await scriptedServer(script);
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    // A reset may come before the test looks for it.
    const failed = new Promise<Error>((resolve) => socket.once('error', resolve));
    await once(socket, 'connect');
    return { socket, server, failed };
  };

  it('answers when the expected bytes arrive, however they are cut', async () => {
    const { socket } = await dial(async (peer) => {
      const taken = await peer.expect(Uint8Array.of(1, 2, 3));
      peer.send(taken);
      peer.end();
    });
    socket.write(Uint8Array.of(0, 1));
    socket.write(Uint8Array.of(2, 3, 4));
    expect((await once(socket, 'data'))[0]).toEqual(Buffer.of(0, 1, 2, 3));
    await once(socket, 'end');
  });

  it('keeps what follows a match for the next expectation', async () => {
    const { socket, server } = await dial(async (peer) => {
      await peer.expect(/a+/);
      peer.send(await peer.expect('b'));
    });
    socket.write('aaab');
    expect(String((await once(socket, 'data'))[0])).toBe('b');
    await server.close();
  });

  it('numbers connections, so that the second can be treated otherwise', async () => {
    const { socket, server, failed } = await dial(async (peer) => {
      if (peer.index > 0) return peer.send('welcome');
      await peer.expect('hello');
      peer.reset();
    });
    socket.write('hello');
    expect(String(await failed)).toContain('ECONNRESET');
    const second = connect({ port: server.port, host: '127.0.0.1' });
    expect(String((await once(second, 'data'))[0])).toBe('welcome');
    expect(server.accepted).toBe(2);
    second.destroy();
  });

  it('fails at close with what was expected and what came', async () => {
    const { socket, server, failed } = await dial(async (peer) => {
      await peer.expect(/CONNECT/, 50);
    });
    socket.write('\x10hello');
    await failed;
    await expect(server.close()).rejects.toThrow(
      'Connection 0 expected /CONNECT/, but nothing matched within 50 ms. Received and not yet taken: 6 bytes: \\x10hello.',
    );
  });

  it('fails at close when the client left too early', async () => {
    const { socket, server } = await dial(async (peer) => {
      await peer.expect('never');
    });
    socket.end();
    await once(socket, 'close').catch(() => undefined);
    await expect(server.close()).rejects.toThrow('but the client closed the connection');
  });

  it('does not fail at close for a script that was still waiting', async () => {
    const { server } = await dial(async (peer) => {
      await peer.expect('never', 60_000);
    });
    await expect(server.close()).resolves.toBeUndefined();
  });
});

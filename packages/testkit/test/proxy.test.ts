import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leakCheck, type ScriptedServer, scriptedServer, type TcpProxy, tcpProxy, waitFor } from '../src/index.ts';

describe('tcpProxy', () => {
  const received: string[] = [];
  let echo: ScriptedServer;
  let proxy: TcpProxy;

  beforeEach(async () => {
    received.length = 0;
    echo = await scriptedServer(async (peer) => {
      for (;;) {
        const line = await peer.expect(/.*\n/, 60_000);
        received.push(line.toString().trim());
        peer.send(line);
      }
    });
    proxy = await tcpProxy({ port: echo.port });
  });

  afterEach(async () => {
    await proxy.close();
    await echo.close().catch(ignoreClosedClient);
  });

  it('passes bytes both ways and counts connections', async () => {
    const client = await open(proxy.port);
    expect(await ask(client.socket, 'hello\n')).toBe('hello\n');
    expect([proxy.accepted, proxy.connections]).toEqual([1, 1]);
    client.socket.end();
    client.socket.destroy();
    await waitFor(() => proxy.connections === 0, { what: 'the proxy to see the client go' });
  });

  it('passes any sequence of chunks unchanged and in order while the delay changes', async () => {
    const client = await open(proxy.port);
    const chunks = fc.array(fc.tuple(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), fc.nat({ max: 3 })), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(chunks, async (sent) => {
        const before = client.text().length;
        for (const [text, delay] of sent) {
          proxy.delay(delay);
          client.socket.write(text);
        }
        client.socket.write('\n');
        const expected = `${sent.map(([text]) => text).join('')}\n`;
        await waitFor(() => client.text().length >= before + expected.length, { what: 'the whole echo' });
        expect(client.text().slice(before)).toBe(expected);
      }),
      { numRuns: 30 },
    );
    client.socket.destroy();
  });

  it('delays each direction by the given time', async () => {
    const client = await open(proxy.port);
    proxy.delay(100);
    const start = performance.now();
    await ask(client.socket, 'slow\n');
    expect(performance.now() - start).toBeGreaterThanOrEqual(195);
    client.socket.destroy();
  });

  it('resets open connections and serves new ones', async () => {
    const first = await open(proxy.port);
    await ask(first.socket, 'one\n');
    const error = once(first.socket, 'error');
    proxy.reset();
    expect(String(await error)).toContain('ECONNRESET');
    const second = await open(proxy.port);
    expect(await ask(second.socket, 'two\n')).toBe('two\n');
    second.socket.destroy();
  });

  it('holds everything back in a black hole and delivers it afterwards', async () => {
    const client = await open(proxy.port);
    await ask(client.socket, 'before\n');
    proxy.blackHole(true);
    client.socket.write('during\n');
    await sleep(100);
    expect(received).toEqual(['before']);
    expect(client.socket.destroyed).toBe(false);
    proxy.blackHole(false);
    await waitFor(() => received.length === 2, { what: 'the held line' });
    expect(received).toEqual(['before', 'during']);
    client.socket.destroy();
  });

  it('refuses new connections and keeps the open one', async () => {
    const client = await open(proxy.port);
    await proxy.refuse(true);
    await expect(open(proxy.port)).rejects.toThrow('ECONNREFUSED');
    expect(await ask(client.socket, 'still here\n')).toBe('still here\n');
    await proxy.refuse(false);
    (await open(proxy.port)).socket.destroy();
    client.socket.destroy();
  });

  it('puts its own address into a URL and leaves the rest', () => {
    expect(proxy.url('amqp://user:secret@broker:5672/vhost')).toBe(`amqp://user:secret@127.0.0.1:${proxy.port}/vhost`);
  });

  it('leaves nothing open after close', async () => {
    const leaks = leakCheck();
    const own = await tcpProxy({ port: echo.port });
    const client = await open(own.port);
    client.socket.on('error', () => undefined);
    own.delay(60_000);
    client.socket.write('never arrives\n');
    await sleep(20);
    await own.close();
    await leaks.expectNone();
  });
});

/** The echo script of a client that went away reports just that; anything else is a failure of the test. */
function ignoreClosedClient(error: unknown): void {
  if (!String(error).includes('the client closed the connection')) throw error;
}

async function open(port: number) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'connect');
  return { socket, text: () => text };
}

async function ask(socket: Socket, line: string): Promise<string> {
  const answer = once(socket, 'data');
  socket.write(line);
  return String((await answer)[0]);
}

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { ConfigInvalid, createLineLogger, Secret } from '@magpie/contract';
import { type TestAuthority, testAuthority, waitFor } from '@magpie/testkit';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { clientCertificate, loadServerCertificate, type TlsSettings } from '../../src/index.ts';
import { startWorld } from '../support/fixtures.ts';

const LOCALHOST = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
] as const;

let authority: TestAuthority;
beforeAll(async () => {
  authority = await testAuthority();
});

/** Files of a server certificate that can be written again. */
async function serverFiles() {
  const directory = mkdtempSync(join(tmpdir(), 'magpie-tls-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const write = (pem: { readonly cert: string; readonly key: string }): void => {
    writeFileSync(cert, pem.cert);
    writeFileSync(key, pem.key, { mode: 0o600 });
  };
  write(await authority.issue(LOCALHOST));
  return { settings: { cert, key: new Secret(key) }, cert, key, write };
}

/** An API that listens with TLS. */
async function listening(tls: TlsSettings) {
  const logged: string[] = [];
  const logger = createLineLogger((level, _, message) => void logged.push(`${level} ${message}`));
  const world = await startWorld({ http: { tls }, logger });
  const url = await world.listen();
  return { ...world, url, port: Number(new URL(url).port), logged };
}

type Client = { readonly cert?: string; readonly key?: string; readonly agent?: Agent };

/** One request over a socket of its own; resolves to status, body and the serial number of the server's certificate. */
async function get(url: string, path: string, client: Client = {}) {
  const asked = request(new URL(path, url), { ca: authority.cert, agent: false, ...client }).end();
  const [response] = await once(asked, 'response');
  const serial = String(response.socket.getPeerCertificate().serialNumber);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, body: Buffer.concat(chunks).toString(), serial };
}

async function dial(port: number, options: object): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca: authority.cert, ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

describe('an API with TLS', () => {
  test('answers https and wss under its own URL', async () => {
    const { settings } = await serverFiles();
    const { url } = await listening(settings);
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await get(url, '/livez')).toMatchObject({ status: 200 });
    const socket = new WebSocket(`${url.replace('https', 'wss')}/v1/stream`, ['magpie.v1.json'], {
      ca: authority.cert,
    });
    const [hello] = await once(socket, 'message');
    expect(String(hello)).toContain('"hello"');
    socket.close();
  });

  test('gives no answer to a client without TLS, or with one before 1.2', async () => {
    const { settings } = await serverFiles();
    const { port } = await listening(settings);
    const plain = connectPlain(port, '127.0.0.1');
    let answered = 0;
    plain.on('data', (chunk) => {
      answered += chunk.length;
    });
    plain.on('error', () => undefined);
    plain.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await once(plain, 'close');
    expect(answered).toBeLessThan(20); // An alert at most.
    await expect(
      dial(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow(/version|protocol/i);
  });

  test('a renewed certificate serves new connections, and the open ones live on', async () => {
    const { settings, write } = await serverFiles();
    const { url, api, logged } = await listening(settings);
    const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
    onTestFinished(() => agent.destroy());
    const before = await get(url, '/livez', { agent });
    api.renewCertificate();
    expect((await get(url, '/livez')).serial).toBe(before.serial);
    write(await authority.issue(LOCALHOST));
    api.renewCertificate();
    const after = await get(url, '/livez');
    expect(after.serial).not.toBe(before.serial);
    expect((await get(url, '/livez', { agent })).serial).toBe(before.serial);
    expect(logged).toEqual([expect.stringMatching(/^info the certificate of the API was renewed: it ends at 20/)]);
  });

  test('a key that does not fit leaves the old one in use, with one line and an alarm until it is put right', async () => {
    const { settings, key, write } = await serverFiles();
    const { url, api, logged } = await listening(settings);
    const alarms = async () => JSON.parse((await get(url, '/v1')).body).alarms;
    const before = await get(url, '/livez');
    const other = await authority.issue(LOCALHOST);
    writeFileSync(key, other.key);
    api.renewCertificate();
    api.renewCertificate();
    expect((await get(url, '/livez')).serial).toBe(before.serial);
    expect(logged).toEqual([
      expect.stringMatching(/^error \/http\/tls\/key: a key that .*the one before stays in use/),
    ]);
    expect(await alarms()).toEqual([expect.stringContaining('/http/tls/key')]);
    expect(logged.join()).not.toContain(other.key.split('\n')[1]);
    write(other);
    api.renewCertificate();
    expect(await alarms()).toEqual([]);
  });

  test.each([
    ['has ended', -2, /ended at/],
    ['has a fifth of its time left', 0.1, /ends at/],
  ])('a certificate that %s raises an alarm', async (_, days, words) => {
    const { cert, key } = await authority.issue(LOCALHOST, days);
    const { api } = await startWorld({ http: { tls: { cert, key: new Secret(key) } } });
    const { alarms } = (await api.app.inject('/v1')).json();
    expect(alarms).toEqual([expect.stringMatching(words)]);
  });

  test('cuts who does not finish the handshake', async () => {
    const { settings } = await serverFiles();
    const { api, listen } = await startWorld({ http: { tls: settings }, times: { headers: 100, request: 200 } });
    const { port } = new URL(await listen());
    const silent = connectPlain(Number(port), '127.0.0.1');
    silent.on('error', () => undefined);
    await once(silent, 'close');
    const second = connectPlain(Number(port), '127.0.0.1');
    second.on('error', () => undefined);
    await once(second, 'connect');
    const closed = once(second, 'close');
    await api.close(AbortSignal.abort());
    await closed;
  });

  test('cuts who reads nothing of what is written', async () => {
    const { settings } = await serverFiles();
    const { api, listen } = await startWorld({ http: { tls: settings }, times: { stalled: 200 } });
    api.app.get('/much', async () => Buffer.alloc(32 * 1024 * 1024));
    const { port } = new URL(await listen());
    const reader = await dial(Number(port), {});
    reader.on('error', () => undefined);
    reader.pause();
    reader.write('GET /much HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await waitFor(async () => (await connections(api.app.server)) === 0, { what: 'the end of the connection' });
  });
});

const connections = (server: { getConnections(take: (error: Error | null, count: number) => void): void }) =>
  new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));

describe('client certificates', () => {
  const URN = 'urn:example:device:pump-7';
  const NAMES = [
    { type: 'url', value: URN },
    { type: 'dns', value: 'pump-7.example.org' },
  ] as const;

  /** An API that answers `/who` with the names of the client's certificate. */
  async function asking(clientAuth: 'request' | 'require') {
    const { settings } = await serverFiles();
    const world = await startWorld({ http: { tls: { ...settings, ca: authority.cert, clientAuth } } });
    world.api.app.get('/who', async ({ raw }) => clientCertificate(raw.socket)?.names ?? 'nobody');
    return { ...world, url: await world.listen() };
  }

  test('are taken where they are asked for, and only those of the authority count', async () => {
    const { url } = await asking('request');
    const who = async (client?: Client) =>
      JSON.parse((await get(url, '/who', client)).body.replace(/^nobody$/, '"nobody"'));
    expect(await who(await authority.issue(NAMES))).toEqual([
      { kind: 'URI', value: URN },
      { kind: 'DNS', value: 'pump-7.example.org' },
    ]);
    expect(await who()).toBe('nobody');
    expect(await who(await (await testAuthority()).issue(NAMES))).toBe('nobody');
    expect(await who(await authority.issue(NAMES, -1))).toBe('nobody');
  });

  test('are needed where they are required', async () => {
    const { url } = await asking('require');
    expect((await get(url, '/who', await authority.issue(NAMES))).body).toContain(URN);
    await expect(get(url, '/who')).rejects.toThrow(/certificate required|socket hang up|ECONNRESET/);
    await expect(get(url, '/who', await (await testAuthority()).issue(NAMES))).rejects.toThrow(
      /alert|socket hang up|ECONNRESET/,
    );
  });

  test('with a comma or a quote in a name are not read as two names', async () => {
    const { url } = await asking('request');
    const [sly] = ['urn:a, URI:urn:example:device:admin', 'urn:a", URI:"urn:admin'].map((value) => [
      { type: 'url', value } as const,
    ]);
    const { body } = await get(url, '/who', await authority.issue(sly ?? []));
    expect(JSON.parse(body)).toEqual([{ kind: 'URI', value: sly?.[0]?.value }]);
  });
});

test.each(['cert', 'key', 'ca'] as const)(
  'a %s that cannot be used is named with what to do, and no secret',
  async (name) => {
    const pem = await authority.issue(LOCALHOST);
    const broken = { ca: authority.cert, ...pem, [name]: '-----BEGIN CANARY-----\nAAAA\n-----END CANARY-----\n' };
    const load = () => loadServerCertificate({ ...broken, key: new Secret(broken.key), clientAuth: 'require' });
    expect(load).toThrow(ConfigInvalid);
    expect(load).toThrow(new RegExp(`^/http/tls/${name}: .*; name the PEM file`));
    expect(load).not.toThrow(/CANARY|AAAA/);
  },
);

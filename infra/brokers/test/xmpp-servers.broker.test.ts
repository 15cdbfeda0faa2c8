import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Client, client, xml } from '@xmpp/client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAccount, startEjabberd, startProsody, type XmppServer } from '../src/index.ts';
import { isRunning, waitUntilGone } from './processes.ts';

const open: Client[] = [];

const opening = (namespace: string) =>
  `<stream:stream xmlns='${namespace}' xmlns:stream='http://etherx.jabber.org/streams'`;

/** A bare XML stream, for what the client library does not do. */
function dial(port: number) {
  const socket = connect({ port, host: '127.0.0.1' });
  let received = '';
  socket.on('data', (chunk) => {
    received += String(chunk);
  });
  const say = async (xmlText: string, answer: RegExp) => {
    socket.write(xmlText);
    return await vi.waitFor(() => answer.exec(received) ?? Promise.reject(new Error(`Got only: ${received}`)));
  };
  return { say, end: () => socket.destroy() };
}

async function logIn(broker: XmppServer, username: string, password: string): Promise<Client> {
  const xmpp = client({ service: broker.urls.plain, domain: broker.domain, username, password });
  xmpp.on('error', () => undefined);
  open.push(xmpp);
  await xmpp.start();
  return xmpp;
}

const features = async (xmpp: Client, jid: string): Promise<string> =>
  String(await xmpp.iqCaller.get(xml('query', 'http://jabber.org/protocol/disco#info'), jid));

const starters = { prosody: startProsody, ejabberd: startEjabberd };

describe.each(['prosody', 'ejabberd'] as const)('%s', (name) => {
  const start = starters[name];
  let broker: XmppServer;
  beforeAll(async () => {
    const users = [
      { name: 'alice', password: 'a"b\\c' },
      { name: 'bob', password: 'b' },
    ];
    broker = await start({ users });
    // The client library upgrades by STARTTLS and takes no authority of its own.
    setDefaultCACertificates([...getCACertificates(), await readFile(broker.ca, 'utf8')]);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((xmpp) => xmpp.stop()));
  });
  afterAll(() => broker.stop());

  it('lets its users in', async () => {
    await logIn(broker, 'alice', 'a"b\\c');
    await logIn(broker, 'bob', 'b');
  });

  it('refuses a wrong password', async () => {
    await expect(logIn(broker, 'bob', 'wrong')).rejects.toThrow('not-authorized');
  });

  it('offers direct TLS with a certificate of its authority', async () => {
    const socket = connectTls({ port: broker.ports.tls, host: '127.0.0.1', ca: await readFile(broker.ca) });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  it('offers archives, rooms with archives, and uploads', async () => {
    const xmpp = await logIn(broker, 'alice', 'a"b\\c');
    expect(await features(xmpp, 'alice@localhost')).toContain('urn:xmpp:mam:2');
    expect(await features(xmpp, broker.rooms)).toContain('http://jabber.org/protocol/muc');
    expect(await features(xmpp, broker.uploads)).toContain('urn:xmpp:http:upload:0');
  });

  it('accepts a component connection for its domains', async () => {
    const stream = dial(broker.ports.component);
    const opened = await stream.say(`${opening('jabber:component:accept')} to='bridge.localhost'>`, /id='([^']*)'/);
    const proof = createHash('sha1').update(`${opened[1]}${broker.componentSecret}`).digest('hex');
    await stream.say(`<handshake>${proof}</handshake>`, /<handshake\/>/);
    stream.end();
  });

  it('tells its version and what it is', () => {
    expect(broker.version).toMatch(/^\d+\.\d+/);
    expect(broker.name).toBe(name);
  });

  it('keeps ports and users through SIGKILL and restart', async () => {
    const { ports, pid } = broker;
    await createAccount(broker, 'carol', 'c');
    await logIn(broker, 'carol', 'c');
    await sleep(1_000); // ejabberd writes down what it has in memory ten times a second.
    await broker.kill();
    expect(isRunning(pid)).toBe(false);
    await broker.restart();
    expect(broker.ports).toEqual(ports);
    await logIn(broker, 'carol', 'c');
  });

  it('answers nothing while it is paused', async () => {
    await broker.pause();
    const stream = dial(broker.ports.plain);
    const request = `${opening('jabber:client')} to='localhost' version='1.0'>`;
    await expect(stream.say(request, /<stream:features>/)).rejects.toThrow('Got only: ');
    broker.resume();
    await stream.say(' ', /<stream:features>/);
    stream.end();
  });

  it('requires TLS before a login on demand, and leaves no process and no data after stop', async () => {
    const strict = await start({ requireTls: true });
    const stream = dial(strict.ports.plain);
    const request = `${opening('jabber:client')} to='localhost' version='1.0'>`;
    const [features] = await stream.say(request, /<stream:features>.*<\/stream:features>/);
    stream.end();
    expect(features).toContain('<required');
    expect(features).not.toContain('<mechanism>');
    const { pid } = strict;
    await strict.stop();
    await waitUntilGone(pid);
    expect(existsSync(strict.dataDir)).toBe(false);
  });
});

it('Prosody starts in a folder with a long path, and an option given to it replaces the usual one', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'magpie-')), 'a-long-name-'.repeat(8));
  await mkdir(folder);
  vi.stubEnv('TMPDIR', folder);
  try {
    const server = await startProsody({ extraConfig: ['allow_unencrypted_plain_auth = true'] });
    await server.stop();
  } finally {
    vi.unstubAllEnvs();
    await rm(dirname(folder), { recursive: true });
  }
});

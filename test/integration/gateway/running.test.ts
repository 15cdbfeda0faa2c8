import { once } from 'node:events';
import { createServer } from 'node:net';
import { unique, useBrokers, useSharedBrokers, waitFor } from '@magpie/testkit';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayHome, gatewayHome, runCli, startMagpie } from '../../support/gateway-process.ts';
import { connectionState, connectionThat } from '../../support/watch-connection.ts';

const shared = useSharedBrokers('mosquitto', 'rabbitmq');

const homes: GatewayHome[] = [];
afterEach(async () => void (await Promise.all(homes.splice(0).map((home) => home.remove()))));

const HEAD = { version: 1, gateway: { id: 'running' }, http: { port: 0 } };

async function home(connections: object = {}, routes: object = {}): Promise<GatewayHome> {
  const made = await gatewayHome(JSON.stringify({ ...HEAD, connections, routes }));
  homes.push(made);
  return made;
}

const mqttLogin = () => {
  const { host } = new URL(shared.mosquitto.urls.plain);
  return { type: 'mqtt', url: `mqtt://${host}`, username: 'magpie', password: 'magpie-secret' };
};

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

describe('publish and tail', () => {
  it('tail shows what publish sends, as JSON lines', async () => {
    const { url } = await (await home()).start();
    const tail = await tailJson(url);
    const { code, stdout: ref } = await runCli('publish', 'notices/hall-2', '{"text":"Grüße 👋"}', '--url', url);
    expect(code).toBe(0);
    const line = await tail.line((event) => event.ref === ref.trim());
    expect(line).toMatchObject({ source: 'http', address: 'topic:notices/hall-2', payload: { text: 'Grüße 👋' } });
    await tail.stop();
  });

  it('publish --to sends directly to a place behind a connection', async () => {
    const topic = `${unique('direct')}/set`;
    const { url } = await (await home({ floor: mqttLogin() })).start();
    const device = await mqtt.connectAsync(shared.mosquitto.urls.plain);
    const got = firstBody(device);
    await device.subscribeAsync(topic, { qos: 1 });
    const { code, stderr } = await runCli('publish', '--to', 'floor', `topic=${topic}`, 'off', '--url', url);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await got).toBe('off');
    await device.endAsync();
  });
});

describe('starting', () => {
  it('a second gateway on the same data directory exits with a sentence', async () => {
    const place = await home();
    const { url } = await place.start();
    const { code, stdout, stderr } = await runCli('run', '-c', place.file);
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/magpie: .*data.*\n/);
    expect(stdout + stderr).not.toMatch(/^\s+at /m);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it('waits visibly for a broker that is not there, while the others work', async () => {
    const away = { type: 'mqtt', url: `mqtt://127.0.0.1:${await freePort()}` };
    const { url } = await (await home({ away, floor: mqttLogin() })).start({ ready: false });
    const shown = await connectionThat(url, 'away', 'has tried twice', ({ attempts }) => attempts >= 2);
    expect(['waiting', 'connecting']).toContain(shown.state);
    expect(shown.error?.code).toBe('not-connected');
    await connectionThat(url, 'floor', 'is up', ({ state }) => state === 'up');
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('"away"')]);
  });
});

describe('wrong passwords', () => {
  const own = useBrokers({ prosody: {}, mosquitto: { users: [{ name: 'magpie', password: 'magpie-secret' }] } });
  let connections: Record<string, object>;
  beforeAll(() => {
    const { prosody, mosquitto } = own;
    connections = {
      chat: {
        type: 'xmpp',
        jid: 'magpie@localhost',
        password: 'wrong-secret',
        url: prosody.urls.plain,
        tls: { ca: prosody.ca },
      },
      erp: {
        type: 'amqp',
        url: `amqp://127.0.0.1:${shared.rabbitmq.ports.plain}`,
        username: 'magpie',
        password: 'wrong-secret',
      },
      desk: {
        type: 'mqtt',
        url: `mqtt://127.0.0.1:${mosquitto.ports.plain}`,
        username: 'magpie',
        password: 'wrong-secret',
      },
      floor: mqttLogin(),
    };
  });

  it('stop a connection after three tries with an alarm; the others keep working', async () => {
    const topic = unique('alive');
    const route = { from: { connection: 'floor', topic }, to: { connection: 'floor', topic: `${topic}/copy` } };
    const gateway = await (await home(connections, { route })).start({ ready: false });
    const refused = ['chat', 'erp', 'desk'];
    for (const name of refused) {
      const shown = await connectionThat(gateway.url, name, 'raises an alarm', ({ alarm }) => alarm !== undefined);
      expect(shown).toMatchObject({ attempts: 3, error: { code: 'auth-failed' } });
    }
    await connectionThat(gateway.url, 'floor', 'is up', ({ state }) => state === 'up');
    await expectCopied(topic);
    for (const name of refused) expect((await connectionState(gateway.url, name)).attempts).toBe(3);
    expect(gateway.logs()).not.toContain('wrong-secret');
  });
});

const firstBody = (device: MqttClient): Promise<string> =>
  new Promise((resolve) => device.once('message', (_, body) => resolve(body.toString())));

async function expectCopied(topic: string): Promise<void> {
  const device = await mqtt.connectAsync(shared.mosquitto.urls.plain);
  const got = firstBody(device);
  await device.subscribeAsync(`${topic}/copy`, { qos: 1 });
  await device.publishAsync(topic, 'hello', { qos: 1 });
  expect(await got).toBe('hello');
  await device.endAsync();
}

type Line = Readonly<Record<string, unknown>>;

/** `magpie tail --json` in a process of its own. */
async function tailJson(url: string) {
  const tail = await startMagpie(['tail', '--json', '--since', 'earliest', '--url', url]);
  const lines = (): Line[] =>
    tail
      .stdout()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  return {
    line: (wanted: (line: Line) => boolean) => waitFor(() => lines().find(wanted), { what: 'a line of tail' }),
    stop: async () => {
      tail.signal('SIGINT');
      await tail.exited();
    },
  };
}

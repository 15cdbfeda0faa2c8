import { readFile } from 'node:fs/promises';
import mqtt from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type MosquittoBroker, startMosquitto } from '../src/index.ts';
import { isRunning, waitUntilGone } from './processes.ts';

const open: mqtt.MqttClient[] = [];

async function dial(url: string, options: mqtt.IClientOptions = {}): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, connectTimeout: 3000, ...options }, false);
  open.push(client.on('error', () => undefined));
  return client;
}

describe('Mosquitto', () => {
  let broker: MosquittoBroker;
  beforeAll(async () => {
    const users = [
      { name: 'magpie', password: 'p@ss/word' },
      { name: 'reader', password: 'r', acl: ['topic read plant/#'] },
    ];
    broker = await startMosquitto({ users });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.endAsync(true)));
  });
  afterAll(() => broker.stop());

  it.each([4, 5] as const)('lets a user in by protocol level %i, plain and by TLS', async (protocolVersion) => {
    const ca = await readFile(broker.ca);
    await dial(broker.urls.plain, { protocolVersion });
    await dial(broker.urls.tls, { protocolVersion, ca });
    await dial(broker.urls.anonymous, { protocolVersion });
  });

  it('refuses a wrong password', async () => {
    await expect(dial(broker.urls.anonymous, { username: 'magpie', password: 'wrong' })).rejects.toThrow(
      /not authorized/i,
    );
  });

  it('applies the ACL of a user', async () => {
    const reader = await dial(broker.urls.anonymous, { username: 'reader', password: 'r', protocolVersion: 5 });
    await expect(reader.publishAsync('plant/x', 'no', { qos: 1 })).rejects.toThrow(/not authorized/i);
  });

  it('tells its version', () => {
    expect(broker.version).toMatch(/^\d+\.\d+/);
  });
});

describe('Mosquitto of its own', () => {
  const brokers: MosquittoBroker[] = [];
  const start = async (...args: Parameters<typeof startMosquitto>) => {
    const broker = await startMosquitto(...args);
    brokers.push(broker);
    return broker;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.endAsync(true)));
    await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
  });

  it('keeps ports and retained messages through SIGKILL and restart', async () => {
    const broker = await start();
    const { ports, pid } = broker;
    await (await dial(broker.urls.plain)).publishAsync('kept', 'value', { qos: 1, retain: true });
    // autosave_interval is one second.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await broker.kill();
    expect(broker.pid).toBeUndefined();
    expect(isRunning(pid)).toBe(false);
    await broker.restart();
    expect(broker.ports).toEqual(ports);
    const reader = await dial(broker.urls.plain);
    const message = new Promise((resolve) => reader.once('message', (_topic, body) => resolve(String(body))));
    await reader.subscribeAsync('kept');
    expect(await message).toBe('value');
  });

  it('leaves no process and no data after stop, and stop may come twice', async () => {
    const broker = await start();
    const { pid, dataDir } = broker;
    await broker.stop();
    await broker.stop();
    await waitUntilGone(pid);
    await expect(readFile(`${dataDir}/mosquitto.conf`)).rejects.toThrow('ENOENT');
  });

  it('answers nothing while paused and stops nevertheless', async () => {
    const broker = await start();
    await broker.pause();
    await expect(dial(broker.urls.plain, { connectTimeout: 300 })).rejects.toThrow();
    broker.resume();
    await dial(broker.urls.plain);
    await broker.pause();
    await broker.stop();
  });

  it('keeps to fixed ports and says so when one is taken', async () => {
    const first = await start();
    await expect(startMosquitto({ ports: { plain: first.ports.plain } })).rejects.toThrow(
      `TCP port ${first.ports.plain} of 127.0.0.1, wanted for "plain", is taken.`,
    );
  });

  it('shows its log when the configuration is wrong', async () => {
    await expect(startMosquitto({ extraConfig: ['no_such_option true'] })).rejects.toThrow('no_such_option');
  });

  it('presents an expired certificate on demand', async () => {
    const broker = await start({ expiredCertificate: true });
    await expect(dial(broker.urls.tls, { ca: await readFile(broker.ca) })).rejects.toThrow(/expired/);
  });
});

import { readFile } from 'node:fs/promises';
import { connect } from 'amqplib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RabbitmqBroker, startRabbitmq } from '../src/index.ts';
import { isRunning, waitUntilGone } from './processes.ts';

type Connection = Awaited<ReturnType<typeof connect>>;
const open: Connection[] = [];

async function dial(url: string, options?: { ca: Buffer[] }): Promise<Connection> {
  const connection = await connect(url, options);
  connection.on('error', () => undefined);
  open.push(connection);
  return connection;
}

/** The end of a broker closes its connections too, so closing again may fail. */
const closeAll = () => Promise.all(open.splice(0).map((connection) => connection.close().catch(() => undefined)));

describe('RabbitMQ', () => {
  let broker: RabbitmqBroker;
  beforeAll(async () => {
    const readOnly = { configure: '^$', write: '^$', read: '.*' };
    const users = [
      { name: 'magpie', password: 'p@ss/word' },
      { name: 'reader', password: 'r', permissions: readOnly },
    ];
    broker = await startRabbitmq({ users });
  });
  afterEach(closeAll);
  afterAll(() => broker.stop());

  it('lets a user in, plain and by TLS', async () => {
    await dial(broker.urls.plain);
    await dial(broker.urls.tls, { ca: [await readFile(broker.ca)] });
  });

  it('refuses a wrong password', async () => {
    await expect(dial(`amqp://magpie:wrong@127.0.0.1:${broker.ports.plain}`)).rejects.toThrow('ACCESS_REFUSED');
  });

  it('applies the permissions of a user', async () => {
    const channel = await (await dial(`amqp://reader:r@127.0.0.1:${broker.ports.plain}`)).createChannel();
    channel.on('error', () => undefined);
    await expect(channel.assertQueue('forbidden')).rejects.toThrow('ACCESS_REFUSED');
  });

  it('tells its version and answers rabbitmqctl', async () => {
    expect(broker.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(await broker.control('list_users')).toContain('reader');
  });

  it('keeps ports and persistent messages through SIGKILL and restart', async () => {
    const { ports, pid } = broker;
    const channel = await (await dial(broker.urls.plain)).createConfirmChannel();
    await channel.assertQueue('kept', { durable: true });
    channel.sendToQueue('kept', Buffer.from('value'), { persistent: true });
    await channel.waitForConfirms();
    // A queue that was declared a moment ago is in a buffer of the broker's own; what is confirmed is not.
    await broker.control('eval', 'mnesia:sync_log().');
    await broker.kill();
    expect(isRunning(pid)).toBe(false);
    await broker.restart();
    expect(broker.ports).toEqual(ports);
    const after = await (await dial(broker.urls.plain)).createChannel();
    const message = await after.get('kept', { noAck: true });
    expect(message === false ? undefined : String(message.content)).toBe('value');
  });

  it('runs beside another one and leaves no process after stop', async () => {
    const other = await startRabbitmq();
    const { pid } = other;
    await dial(other.urls.plain);
    await dial(broker.urls.plain);
    await closeAll();
    await other.stop();
    await waitUntilGone(pid);
    await expect(dial(other.urls.plain)).rejects.toThrow('ECONNREFUSED');
    await expect(readFile(`${other.dataDir}/rabbitmq.conf`)).rejects.toThrow('ENOENT');
  });
});

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import amqp from 'amqplib';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type GatewayHome, type GatewayProcess, gatewayHome } from '../../support/gateway-process.ts';
import { rawChat } from '../../support/raw-xmpp.ts';

const shared = useSharedBrokers('mosquitto', 'rabbitmq', 'prosody');
const prefix = unique('bad');
const MAX_BODY = 64 * 1024;

let home: GatewayHome;
let gateway: GatewayProcess;
let device: MqttClient;

beforeAll(async () => {
  const { mosquitto, rabbitmq, prosody } = shared;
  const office = await amqp.connect(rabbitmq.urls.plain);
  const channel = await office.createChannel();
  await channel.assertQueue(prefix, { durable: false, autoDelete: true });
  home = await gatewayHome(
    JSON.stringify({
      version: 1,
      gateway: { id: 'bad-input', limits: { maxBodyBytes: '64KiB' } },
      http: { port: 0 },
      connections: {
        floor: {
          type: 'mqtt',
          url: `mqtt://127.0.0.1:${mosquitto.ports.plain}`,
          username: 'magpie',
          password: 'magpie-secret',
        },
        erp: { type: 'amqp', url: rabbitmq.urls.plain },
        chat: {
          type: 'xmpp',
          jid: 'carol@localhost',
          password: 'carol-secret',
          url: prosody.urls.plain,
          tls: { ca: prosody.ca },
        },
      },
      routes: {
        things: {
          from: { connection: 'floor', topic: `${prefix}/in/#` },
          to: { connection: 'floor', topic: `${prefix}/out` },
        },
        orders: { from: { connection: 'erp', queue: prefix }, to: { connection: 'floor', topic: `${prefix}/out` } },
        chats: {
          from: { connection: 'chat', jid: '{who}@localhost' },
          to: { connection: 'floor', topic: `${prefix}/out` },
        },
        mapped: {
          from: { connection: 'floor', topic: `${prefix}/deep/{rest*}` },
          when: 'size(text) > 0 && payload != null',
          to: { connection: 'floor', topic: `${prefix}/out`, payload: { inner: '${payload}' } },
        },
        apps: {
          from: { connection: 'http', topic: `${prefix}/in` },
          to: { connection: 'floor', topic: `${prefix}/out` },
        },
      },
    }),
  );
  gateway = await home.start();
  await office.close();
  device = await mqtt.connectAsync(mosquitto.urls.plain, { protocolVersion: 5 });
  await device.subscribeAsync(`${prefix}/out`, { qos: 1 });
}, 60_000);

afterAll(async () => {
  await device.endAsync();
  await home.remove();
});

/** After everything that was thrown at it: the same process, every connection up, messages flow. */
afterEach(async () => {
  const marker = unique('still-here');
  const arrived = nextBody(marker);
  await device.publishAsync(`${prefix}/in/pump`, marker, { qos: 1 });
  await arrived;
  expect(await status(fetch(`${gateway.url}/readyz`))).toBe(200);
  const shown: { connections: { name: string; attempts: number }[] } = JSON.parse(await text('/v1/connections'));
  expect(shown.connections.filter(({ attempts }) => attempts !== 1)).toEqual([]);
});

const status = async (answer: Promise<Response>): Promise<number> => (await answer).status;
const text = async (path: string): Promise<string> => (await fetch(gateway.url + path)).text();

/** Resolves when the connection is over; a reset ends it as well. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.on('error', () => undefined).once('close', () => resolve()));

/** Resolves when the device gets this body. */
const nextBody = (wanted: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`"${wanted}" did not arrive`)), 10_000);
    const look = (_: string, body: Buffer): void => {
      if (body.toString() !== wanted) return;
      clearTimeout(timer);
      device.off('message', look);
      resolve();
    };
    device.on('message', look);
  });

const post = (body: string | Buffer, contentType = 'application/json'): Promise<Response> =>
  fetch(`${gateway.url}/v1/messages`, { method: 'POST', headers: { 'content-type': contentType }, body });

describe('the API port', () => {
  it.each([
    ['zeros', Buffer.alloc(70_000)],
    ['random bytes', Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919) % 256))],
    ['a TLS greeting', Buffer.from('160301020001000001fc0303', 'hex')],
    ['an endless header', Buffer.from(`GET / HTTP/1.1\r\nx: ${'a'.repeat(100_000)}`)],
    [
      'two lengths',
      Buffer.from('POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello'),
    ],
  ])('closes a connection that sends %s', async (_, bytes) => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.resume().write(bytes);
    await closed(socket);
  });

  it('reads on when a client goes away in the middle of a request', async () => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"to',
    );
    await once(socket, 'ready');
    socket.destroy();
  });
});

const topic = `${prefix}/in`;
const DEEP = 10_000;

describe('the REST API', () => {
  it.each<[what: string, expected: number, body: string | Buffer, contentType?: string]>([
    ['broken JSON', 400, '{"topic": '],
    ['no body', 400, ''],
    ['a number', 400, '7'],
    ['null', 400, 'null'],
    ['an unknown key', 400, JSON.stringify({ topic, text: 'x', txet: 'y' })],
    ['two bodies', 400, JSON.stringify({ topic, text: 'x', payload: 1 })],
    ['bytes that are no base64', 400, JSON.stringify({ topic, base64: '%%%' })],
    ['a prototype', 400, `{"topic":"${topic}","payload":{"__proto__":{"polluted":true}}}`],
    ['a constructor', 400, `{"topic":"${topic}","payload":{"constructor":{"prototype":{"polluted":true}}}}`],
    ['a media type of its own', 415, '<message/>', 'application/xml'],
    ['no media type at all', 415, Buffer.from('x'), ''],
    ['a broken line of many', 400, '{"topic":"a","text":"b"}\n{"topic":', 'application/x-ndjson'],
    ['a body above the limit of messages', 413, JSON.stringify({ topic, text: 'x'.repeat(MAX_BODY + 1) })],
    ['a body above the limit of requests', 413, JSON.stringify({ topic, text: 'x'.repeat(1024 * 1024) })],
  ])('answers %s with %i and a problem', async (_, expected, body, contentType) => {
    const answer = await post(body, contentType);
    expect(answer.status).toBe(expected);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({ status: expected, title: expect.any(String) });
  });

  it('takes or refuses JSON that is 10,000 levels deep, and can show it', async () => {
    const answer = await post(`{"topic":"${topic}","payload":${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`);
    expect([202, 400, 422]).toContain(answer.status);
    expect(await status(fetch(`${gateway.url}/v1/events?limit=5`))).toBe(200);
  });

  it.each(['/v1/events?after=garbage', '/v1/events?limit=-1', '/v1/messages/..%2f..%2fetc', '/v1/%00', '/%ff'])(
    'answers GET %s with a client error',
    async (path) => {
      const code = await status(fetch(gateway.url + path));
      expect(code).toBeGreaterThanOrEqual(400);
      expect(code).toBeLessThan(500);
    },
  );
});

describe('the stream', () => {
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/stream`, ['magpie.v1.json']);
    await once(socket, 'open');
    return socket;
  };

  it.each([
    ['no JSON', '{"type"'],
    ['an unknown type', '{"type":"explode"}'],
    ['a list', '[]'],
    ['a prototype', '{"type":"subscribe","id":"a","__proto__":{"x":1}}'],
    ['deep nesting', `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`],
    ['a cursor of another log', '{"type":"subscribe","id":"a","after":"zzzz:0:1"}'],
    ['a binary frame', Buffer.from([0, 1, 2])],
  ])('answers %s with an error frame', async (_, frame) => {
    const socket = await open();
    const frames: { type: string }[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    socket.send(frame);
    await waitFor(() => frames.some(({ type }) => type === 'error') || socket.readyState === WebSocket.CLOSED, {
      what: 'an error frame or the end',
    });
    socket.terminate();
  });

  it('closes on a frame that is too large', async () => {
    const socket = await open();
    socket.send('x'.repeat(1024 * 1024));
    expect((await once(socket, 'close'))[0]).toBe(1009);
  });

  it('closes on bytes that are no frame', async () => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const lines = ['GET /v1/stream HTTP/1.1', `host: ${hostname}`, 'upgrade: websocket', 'connection: upgrade'];
    const key = ['sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version: 13'];
    socket.write(`${[...lines, ...key, 'sec-websocket-protocol: magpie.v1.json'].join('\r\n')}\r\n\r\n`);
    await once(socket, 'data');
    socket.resume().write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
    await closed(socket);
  });
});

describe('the brokers', () => {
  it('JSON 10,000 levels deep stops neither routes that look into it, nor the stream, nor the history', async () => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/stream`, ['magpie.v1.json']);
    const frames: string[] = [];
    socket.on('message', (data) => frames.push(String(data)));
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'subscribe', id: 'all' }));
    await waitFor(() => frames.some((frame) => frame.includes('"subscribed"')), { what: 'the subscription' });
    const properties = { contentType: 'application/json' };
    const marker = unique('after-the-deep');
    const arrived = nextBody(JSON.stringify({ inner: marker }));
    await device.publishAsync(`${prefix}/deep/x`, `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`, { qos: 1, properties });
    await device.publishAsync(`${prefix}/deep/x`, JSON.stringify(marker), { qos: 1, properties });
    await arrived;
    await waitFor(() => frames.some((frame) => frame.includes(marker)), { what: 'the event after it on the stream' });
    expect(await status(fetch(`${gateway.url}/v1/events?limit=50`))).toBe(200);
    socket.terminate();
  });

  it('an MQTT message above the limit is refused, the next one passes', async () => {
    await device.publishAsync(`${prefix}/in/pump`, Buffer.alloc(MAX_BODY + 1), { qos: 1 });
  });

  it('an MQTT message with hostile properties passes', async () => {
    const marker = unique('hostile');
    const userProperties = {
      'magpie-time': 'never',
      'magpie-priority': '99',
      'magpie-reply-to': '%%%',
      constructor: 'x',
    };
    const arrived = nextBody(marker);
    await device.publishAsync(`${prefix}/in/pump`, marker, {
      qos: 1,
      properties: { userProperties, contentType: 'no/../type' },
    });
    await arrived;
  });

  it('an AMQP message above the limit is refused, one with hostile headers passes', async () => {
    const marker = unique('hostile');
    const arrived = nextBody(marker);
    const office = await amqp.connect(shared.rabbitmq.urls.plain);
    const channel = await office.createConfirmChannel();
    channel.sendToQueue(prefix, Buffer.alloc(MAX_BODY + 1));
    const headers = {
      'x-magpie-via': 7,
      'x-magpie-time': 'never',
      'x-reply-to': '%%%',
      __proto__: 'x',
      deep: [[[[1]]]],
    };
    channel.sendToQueue(prefix, Buffer.from(marker), { headers, expiration: '60000', contentType: '' });
    await channel.waitForConfirms();
    await arrived;
    await office.close();
  });

  it('a chat client that sends illegal XML is closed by its server, the next message passes', async () => {
    const marker = unique('chat');
    const arrived = nextBody(marker);
    const hostile = await rawChat(shared.prosody.ports.plain, 'alice', 'alice-secret');
    const ended = hostile.ended();
    hostile.send('<message to="carol@localhost" type="chat"><body>&#0;\u0001</b></message>');
    await ended;
    const polite = await rawChat(shared.prosody.ports.plain, 'alice', 'alice-secret');
    polite.send(
      '<message to="carol@localhost"><event xmlns="urn:magpie:event:1" time="x" priority="-1"><payload encoding="base64">%%%</payload><via/></event></message>',
    );
    polite.send(`<message to="carol@localhost" type="chat"><body>${marker}</body></message>`);
    await arrived;
    polite.close();
  });
});

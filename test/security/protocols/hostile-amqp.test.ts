import { setTimeout as sleep } from 'node:timers/promises';
import { type Peer, scriptedServer, waitFor } from '@magpie/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { amqplib } from '../../../packages/adapter-amqp/test/support/amqplib-codec.ts';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { foreignEvents } from '../kit/events.ts';
import { bodyFrame, deliveryHead, greet, openChannel } from '../kit/hostile-amqp.ts';
import { post } from '../kit/http.ts';
import { amount } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

/** A hostile broker on loopback; scripts that a client has ended are no failure. It goes with the test. */
async function hostile(script: (peer: Peer) => Promise<void>): Promise<string> {
  const server = await scriptedServer((peer) => script(peer).catch(() => undefined));
  onTestFinished(() => server.close());
  return `amqp://127.0.0.1:${server.port}`;
}

const consuming = (url: string) => ({
  ready: false,
  connections: { erp: { type: 'amqp', url }, out: { type: 'memory', broker: 'amqp' } },
  routes: { all: { from: { connection: 'erp', queue: 'inbox' }, to: { connection: 'out', channel: 'x' } } },
});

it('a body without end is not kept', async () => {
  let pieces = 0;
  const url = await hostile(async (peer) => {
    await greet(peer);
    if ((await openChannel(peer)) !== 'consume') return;
    peer.send(deliveryHead(2n ** 52n));
    const piece = bodyFrame(Buffer.alloc(131_000, 'x'));
    let gone = false;
    void peer.closed.then(() => {
      gone = true;
    });
    for (let count = 0; !gone && count < amount(3000, 30_000); count++) {
      peer.send(piece);
      pieces++;
      if (count % 20 === 0) await sleep(5);
    }
  });
  const victim = await startVictim(consuming(url));
  const outcome = await underAttack(victim, async () => {
    await waitFor(() => pieces > 20, { what: 'the first pieces', timeout: 20_000 });
    await sleep(amount(6000, 60_000));
    return pieces;
  });
  expectUnharmed(outcome, { growth: 150 });
});

/** Methods that a broker has no reason to send while a client logs in or opens a channel. */
const UNASKED = [
  amqplib.encodeMethod(amqplib.BasicDeliver, 1, {
    consumerTag: 't',
    deliveryTag: 1,
    redelivered: false,
    exchange: '',
    routingKey: 'x',
  }),
  amqplib.encodeMethod(amqplib.BasicAck, 1, { deliveryTag: 1, multiple: true }),
  amqplib.encodeMethod(amqplib.ConnectionOpenOk, 0, {}),
  amqplib.encodeMethod(amqplib.ChannelOpenOk, 7, {}),
  amqplib.encodeMethod(amqplib.BasicConsumeOk, 1, { consumerTag: 'x' }),
  Buffer.alloc(100_000),
  Buffer.alloc(100_000, 0xff),
  Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
];

it('methods that nobody asked for get nothing in, in no phase of the login', async () => {
  let links = 0;
  const url = await hostile(async (peer) => {
    const index = links++;
    const bytes = UNASKED[index % UNASKED.length]!;
    const phase = Math.floor(index / UNASKED.length) % 3;
    if (phase === 0) return peer.send(bytes);
    await greet(peer, phase === 1 ? bytes : undefined);
    if (phase === 2) {
      await openChannel(peer);
      peer.send(bytes);
    }
  });
  const connections = Array.from({ length: UNASKED.length * 3 }, (_, index) => [`h${index}`, { type: 'amqp', url }]);
  const routes = connections.map(([name]) => [
    name,
    { from: { connection: name, queue: 'q' }, to: { connection: 'out', channel: 'x' } },
  ]);
  const victim = await startVictim({
    ready: false,
    connections: { ...Object.fromEntries(connections), out: { type: 'memory', broker: 'unasked' } },
    routes: Object.fromEntries(routes),
  });
  // Each connection has a link to receive by and one to send by.
  const outcome = await underAttack(
    victim,
    async () => {
      await waitFor(() => links > UNASKED.length * 3, { what: 'all logins', timeout: 20_000 });
      return links;
    },
    { links: connections.length * 2 },
  );
  expectUnharmed(outcome, { growth: 150 });
  expect(await foreignEvents(victim)).toEqual([]);
});

it('a broker that blocks publishers as it lets them in is sent nothing', async () => {
  const CONNECTION_BLOCKED = 0x000a003c;
  const blocked = amqplib.encodeMethod(CONNECTION_BLOCKED, 0, { reason: 'low on memory' });
  const sent: string[] = [];
  const url = await hostile(async (peer) => {
    await greet(peer, blocked);
    await openChannel(peer);
    await peer.expect('canary', 60_000);
    sent.push('canary');
  });
  const victim = await startVictim({
    ready: false,
    connections: { erp: { type: 'amqp', url } },
    routes: { out: { from: { connection: 'http', topic: 'out' }, to: { connection: 'erp', queue: 'q' } } },
  });
  const outcome = await underAttack(victim, async () => {
    for (let count = 0; count < 5; count++) await post(`${victim.url}/v1/messages`, { topic: 'out', text: 'canary' });
    await sleep(3000);
    return 5;
  });
  expectUnharmed(outcome, { growth: 100 });
  expect(sent).toEqual([]);
});

it.each([
  ['in pieces of one byte', bodyFrame(Buffer.from('x'))],
  ['in pieces of nothing', bodyFrame(Buffer.alloc(0))],
])('a body %s takes no more memory than its bytes', async (_, piece) => {
  let pieces = 0;
  const url = await hostile(async (peer) => {
    await greet(peer);
    if ((await openChannel(peer)) !== 'consume') return;
    peer.send(deliveryHead(BigInt(8 * 1024 * 1024)));
    const block = Buffer.concat(Array.from({ length: 10_000 }, () => piece));
    let gone = false;
    void peer.closed.then(() => {
      gone = true;
    });
    for (; !gone && pieces < amount(1_500_000, 8_000_000); pieces += 10_000) {
      peer.send(block);
      await sleep(5);
    }
  });
  const victim = await startVictim(consuming(url));
  const outcome = await underAttack(victim, async () => {
    await waitFor(() => pieces >= amount(1_500_000, 8_000_000), { what: 'all pieces', timeout: 60_000 });
    await sleep(1000);
    return pieces;
  });
  expectUnharmed(outcome, { growth: 150 });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask, getting, post, postHead, rawSocket, rawSockets } from '../kit/http.ts';
import { inLongForm } from '../kit/long-form.ts';
import { amount } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

/** A body of so many bytes in chunks of one byte each (RFC 9112, 7.1), without its end. */
const crumbs = (count: number): Buffer => Buffer.from('1\r\nx\r\n'.repeat(count));

describe('requests of many small parts', () => {
  it('bodies in chunks of one byte take the memory of their bytes, not that of their chunks', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      const [sockets, bytes] = [await rawSockets(amount(4, 40), victim.url), amount(400_000, 1_000_000)];
      const block = crumbs(10_000);
      for (const socket of sockets) socket.write(postHead('transfer-encoding: chunked'));
      for (let sent = 0; sent < bytes; sent += 10_000) {
        for (const socket of sockets) if (socket.writable) socket.write(block);
        await sleep(5);
      }
      await sleep(2000);
      for (const socket of sockets) socket.destroy();
      return (sockets.length * bytes) / 10_000;
    });
    expectUnharmed(outcome, { growth: 200 });
  });

  it('headers without end are refused, however small each of them is', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      const sockets = await rawSockets(amount(50, 500), victim.url, 'GET /v1 HTTP/1.1\r\nhost: localhost\r\n');
      for (let round = 0; round < 40; round++) {
        for (const socket of sockets) if (socket.writable) socket.write('a:b\r\n'.repeat(200));
        await sleep(10);
      }
      const many = getting('/livez', 'a:b\r\n'.repeat(3000));
      const answers = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const socket = await rawSocket(victim.url, many);
          return new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(String(bytes))));
        }),
      );
      for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 (200|431) /);
      return sockets.length * 40 + answers.length;
    });
    expectUnharmed(outcome, { growth: 150 });
  });

  it('messages with tens of thousands of unknown keys are answered in a few lines', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      const keys = Object.fromEntries(Array.from({ length: 90_000 }, (_, index) => [`key${index}`, 1]));
      const nested = { topic: 'a', text: 'x', headers: Object.fromEntries(Object.keys(keys).map((key) => [key, {}])) };
      const batch = Array.from({ length: 1000 }, (_, index) => ({ [`unknown${index}`]: index, topic: 1, text: 2 }));
      for (const body of [{ topic: 'a', text: 'x', ...keys }, nested, batch, [keys]]) {
        const answer = await post(`${victim.url}/v1/messages`, body);
        expect(answer.body.length).toBeLessThan(body === batch ? 2_000_000 : 40_000);
      }
      const long = `x${'y'.repeat(900_000)}`;
      for (const body of [{ [long]: 1 }, { topic: long, text: 'x' }, { topic: 'a', text: 'x', ttl: long }]) {
        const answer = await post(`${victim.url}/v1/messages`, body);
        expect(answer.status).toBe(400);
        expect(answer.body.length).toBeLessThan(20_000);
      }
      return 7;
    });
    expectUnharmed(outcome, { growth: 400 });
  });

  it('a batch of nothing but line breaks is refused', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      const headers = { 'content-type': 'application/x-ndjson' };
      const bodies = ['\n'.repeat(1_400_000), '{}\n'.repeat(450_000), '[\n'.repeat(700_000)];
      for (let round = 0; round < amount(3, 30); round++)
        for (const body of bodies) {
          const answer = await ask(`${victim.url}/v1/messages`, { headers, body });
          expect(answer.status).toBe(400);
          expect(answer.body.length).toBeLessThan(20_000);
        }
      return amount(3, 30) * bodies.length;
    });
    expectUnharmed(outcome, { growth: 500 });
  });
});

inLongForm('a thousand sockets that say nothing are taken back', async () => {
  const victim = await startVictim();
  const outcome = await underAttack(victim, async () => {
    await rawSockets(1000, victim.url);
    await sleep(60_000);
    return 1000;
  });
  expectUnharmed(outcome, { growth: 150 });
});

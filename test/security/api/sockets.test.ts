import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { getting, post, postHead, rawSocket, rawSockets } from '../kit/http.ts';
import { inLongForm } from '../kit/long-form.ts';
import { amount, LONG } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

describe('sockets that nobody ends', () => {
  it('are taken back, though 300 clients stay that say nothing and 50 that say a byte a second', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      await rawSockets(300, victim.url);
      const slow = await rawSockets(50, victim.url, 'GET /livez HTTP/1.1\r\nx: ');
      for (let second = 0; second < amount(3, 30); second++) {
        await sleep(1000);
        for (const socket of slow) if (socket.writable) socket.write('a');
      }
      return 350;
    });
    expectUnharmed(outcome, { growth: 100 });
  });

  it('bodies that are announced and never come starve nobody', async () => {
    const victim = await startVictim();
    const outcome = await underAttack(victim, async () => {
      const sockets = [
        ...(await rawSockets(44, victim.url, postHead('transfer-encoding: chunked'))),
        ...(await rawSockets(20, victim.url, `${postHead('content-length: 60000')}{`)),
        ...(await rawSockets(20, victim.url, `${postHead('content-length: 1000000')}{"topic":`)),
      ];
      await sleep(amount(3000, 90_000));
      // The long form waits until the gateway has taken them back.
      if (!LONG) for (const socket of sockets) socket.destroy();
      return sockets.length;
    });
    expectUnharmed(outcome, { growth: 100 });
  });
});

describe('answers that nobody reads', () => {
  it('of 4,000 requests sent ahead over four sockets are not made', async () => {
    const victim = await startVictim();
    for (let index = 0; index < 50; index++)
      await post(`${victim.url}/v1/messages`, { topic: 'big', text: 'x'.repeat(20_000) });
    const outcome = await underAttack(victim, async () => {
      const sockets = await rawSockets(4, victim.url);
      for (const socket of sockets) socket.pause().write(getting('/v1/events?limit=500').repeat(1000));
      await sleep(amount(3000, 70_000));
      for (const socket of sockets) socket.destroy();
      return 4000;
    });
    expectUnharmed(outcome, { growth: 250 });
  });

  inLongForm('of one request each are thrown away when their clients stay silent', async () => {
    const victim = await startVictim();
    for (let index = 0; index < 10; index++)
      await post(`${victim.url}/v1/messages`, { topic: 'big', text: 'x'.repeat(900_000) });
    const outcome = await underAttack(victim, async () => {
      for (let index = 0; index < 100; index++) (await rawSocket(victim.url, getting('/v1/events?limit=500'))).pause();
      await sleep(75_000);
      return 100;
    });
    expectUnharmed(outcome, { growth: 1500 });
  });
});

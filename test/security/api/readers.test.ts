import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask, post } from '../kit/http.ts';
import { amount } from '../kit/settings.ts';
import { openApp } from '../kit/stream.ts';
import { startVictim, type Victim } from '../kit/victim.ts';

const MEGABYTE = 'x'.repeat(1_000_000);

/** A victim whose log holds messages of 1 MB each. */
async function fullVictim(messages: number): Promise<Victim> {
  const victim = await startVictim();
  for (let index = 0; index < messages; index++)
    expect((await post(`${victim.url}/v1/messages`, { topic: 'camera', text: MEGABYTE })).status).toBe(202);
  return victim;
}

describe('reading much at once', () => {
  it('twelve pages of 500 messages of 1 MB are bounded in bytes', async () => {
    const victim = await fullVictim(amount(60, 500));
    const outcome = await underAttack(victim, async () => {
      const pages = Array.from({ length: 12 }, () => ask(`${victim.url}/v1/events?limit=500`, { timeout: 60_000 }));
      expect((await Promise.all(pages)).map(({ status }) => status)).toEqual(Array(12).fill(200));
      return 12;
    });
    expectUnharmed(outcome, { growth: 700 });
  });

  it('40 sockets with 32 subscriptions each that read nothing hold a bounded part of the log', async () => {
    const victim = await fullVictim(amount(20, 100));
    const outcome = await underAttack(victim, async () => {
      const apps = await Promise.all(Array.from({ length: amount(40, 100) }, () => openApp(victim.url)));
      for (const { socket, subscribe } of apps) {
        socket.pause();
        for (let id = 0; id < 32; id++) subscribe(`s${id}`);
      }
      await sleep(amount(3000, 30_000));
      for (const { socket } of apps) socket.terminate();
      return apps.length * 32;
    });
    expectUnharmed(outcome, { growth: 500 });
  });

  it('30 searches that find nothing do not hold up those who publish', async () => {
    const victim = await startVictim();
    const line = JSON.stringify({ topic: 'noise', text: 'x' });
    for (let batch = 0; batch < 20; batch++)
      await ask(`${victim.url}/v1/messages`, {
        headers: { 'content-type': 'application/x-ndjson' },
        body: `${line}\n`.repeat(500),
      });
    const outcome = await underAttack(victim, async () => {
      const search = () => ask(`${victim.url}/v1/events?address=topic:nowhere/%23&limit=500`, { timeout: 60_000 });
      const found = await Promise.all(Array.from({ length: amount(30, 300) }, search));
      expect(new Set(found.map(({ status }) => status))).toEqual(new Set([200]));
      return found.length;
    });
    expectUnharmed(outcome, { growth: 300 });
  });
});

/** Fields of messages that cannot be serialized, or only in another form. */
const POISON = {
  'a life of a million million days': { ttl: '999999999999d' },
  'a life without end': { ttl: `${'9'.repeat(400)}d` },
  'a time far away': { time: '+275760-09-13T00:00:00.001Z' },
  'an end far away': { expiresAt: '+999999-01-01T00:00:00Z' },
  'a name that is a prototype': { headers: JSON.parse('{"__proto__":"x"}') },
  'text of halves': { subject: '\ud800', type: '\udfff' },
  'a number that is no priority': { priority: 1e300 },
};

it('one record that cannot be shown is refused, or shown to all: no reader stops at it', async () => {
  const victim = await startVictim();
  const live = await openApp(victim.url);
  live.subscribe('live');
  const publish = (fields: object) => post(`${victim.url}/v1/messages`, { topic: 'poison', ...fields });
  const outcome = await underAttack(victim, async () => {
    for (const [what, fields] of Object.entries(POISON)) {
      expect([202, 400, 422], what).toContain((await publish({ text: what, ...fields })).status);
      await publish({ text: `behind ${what}` });
      expect((await ask(`${victim.url}/v1/events?limit=500`)).status, what).toBe(200);
      await waitFor(() => live.texts.includes(`behind ${what}`), { what: `the message behind ${what}, live` });
    }
    return Object.keys(POISON).length;
  });
  expectUnharmed(outcome, { growth: 100 });
  const late = await openApp(victim.url);
  late.subscribe('late');
  const behind = Object.keys(POISON).map((what) => `behind ${what}`);
  await waitFor(() => behind.every((text) => late.texts.includes(text)), { what: 'all of them, from the log' });
  expect([...live.errors, ...late.errors]).toEqual([]);
});

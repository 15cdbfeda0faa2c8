import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask, post } from '../kit/http.ts';
import { amount } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

const KEY = 'mpk_the-right-key-of-the-good-client';
const keys = [{ id: 'good', hash: createHash('sha256').update(KEY).digest('hex'), roles: ['editor'] }];

it('a stranger who guesses keys never locks out who has the right one behind the same address', async () => {
  const victim = await startVictim({ http: { keys } });
  const outcome = await underAttack(
    victim,
    async () => {
      const guesses = amount(60, 2000);
      const statuses = new Set<number>();
      for (let guess = 0; guess < guesses; guess++) {
        const headers = { authorization: `Bearer guess-${guess}` };
        statuses.add((await ask(`${victim.url}/v1`, { headers })).status);
        statuses.add((await ask(`${victim.url}/v1/stream?ticket=guess-${guess}`)).status);
      }
      expect([...statuses].filter((status) => status < 400)).toEqual([]);
      expect(statuses).toContain(429);
      return guesses * 2;
    },
    { key: KEY },
  );
  expectUnharmed(outcome, { growth: 100 });
});

it('a key in another place than the header opens nothing', async () => {
  const victim = await startVictim({ http: { keys } });
  const outcome = await underAttack(
    victim,
    async () => {
      const [{ hash }] = keys as [(typeof keys)[0]];
      const questions: [string, Record<string, string>][] = [
        [`/v1?key=${KEY}`, {}],
        [`/v1?access_token=${KEY}`, {}],
        ['/v1', { cookie: `key=${KEY}` }],
        ['/v1', { authorization: `Basic ${Buffer.from(`:${KEY}`).toString('base64')}` }],
        ['/v1', { authorization: `Bearer ${hash}` }],
        ['/v1', { authorization: `Bearer ${KEY} x` }],
        ['/v1', { authorization: 'Bearer ' }],
        ['/v1', { 'x-forwarded-for': '127.0.0.1' }],
      ];
      for (const [path, headers] of questions)
        expect([401, 429], JSON.stringify(headers)).toContain((await ask(`${victim.url}${path}`, { headers })).status);
      expect((await post(`${victim.url}/v1/messages`, { topic: 'a', text: KEY }, {})).status).toBeGreaterThanOrEqual(
        401,
      );
      return questions.length + 1;
    },
    { key: KEY },
  );
  expectUnharmed(outcome, { growth: 100 });
  expect(victim.gateway.logs()).not.toContain(KEY);
});

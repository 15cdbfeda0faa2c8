import { waitFor } from '@magpie/testkit';
import { expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask, post } from '../kit/http.ts';
import { amount } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

const memory = { out: { type: 'memory', broker: 'expressions' } };
const route = (topic: string, keys: object) => ({
  from: { connection: 'http', topic },
  to: { connection: 'out', channel: topic },
  ...keys,
});

it('conditions over the lists of a sender end within their budget, as a dead letter', async () => {
  const victim = await startVictim({
    connections: memory,
    routes: {
      nested: route('nested', { when: 'payload.a.exists(x, payload.b.exists(y, x == y))' }),
      mapped: route('mapped', {
        to: {
          connection: 'out',
          channel: 'mapped',
          text: '${size(payload.a.map(x, payload.b.map(y, string(x) + string(y))))}',
        },
      }),
      keyed: route('keyed', { key: '${size(payload.a.filter(x, payload.b.all(y, x != y)))}' }),
    },
  });
  const outcome = await underAttack(victim, async () => {
    const length = amount(30_000, 60_000);
    const list = (from: number): readonly number[] => Array.from({ length }, (_, index) => from + index);
    const payload = { a: list(100_000), b: list(200_000) };
    for (const topic of ['nested', 'mapped', 'keyed'])
      expect((await post(`${victim.url}/v1/messages`, { topic, payload })).status).toBe(202);
    const letters = async () => JSON.parse((await ask(`${victim.url}/v1/dead-letters`)).body).deadLetters;
    await waitFor(async () => (await letters()).length === 3, {
      what: 'three dead letters',
      timeout: 30_000,
      interval: 100,
    });
    return 3;
  });
  expectUnharmed(outcome, { growth: 400 });
});

it('patterns that backtrack elsewhere are matched in linear time', async () => {
  const victim = await startVictim({
    connections: memory,
    routes: {
      regular: route('regular', { when: 'text.matches("^(a+)+$")' }),
      text: route('text', { when: 'text.contains("b")' }),
    },
  });
  const outcome = await underAttack(victim, async () => {
    for (const topic of ['regular', 'text'])
      for (let count = 0; count < 5; count++)
        expect((await post(`${victim.url}/v1/messages`, { topic, text: `${'a'.repeat(500_000)}!` })).status).toBe(202);
    return 10;
  });
  expectUnharmed(outcome, { growth: 300 });
});

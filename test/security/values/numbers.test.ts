import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import mqtt from 'mqtt';
import { expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { ask, post } from '../kit/http.ts';
import { startVictim } from '../kit/victim.ts';

const shared = useSharedBrokers('mosquitto');

const NUMBERS = [
  ...['9223372036854775807', '-9223372036854775808', '1724442618569203714', '18446744073709551615'],
  ...['1e400', '-1e400', '0.1000000000000000055511151231257827', '21.300000000000000001', '-0'],
  ...['12345678901234567890123456789012345678901234567890'],
];

it('numbers that no double holds arrive digit by digit or are refused, whichever way they go', async () => {
  const topic = unique('numbers');
  const url = shared.mosquitto.urls.plain;
  const { username, password, host } = new URL(url);
  const victim = await startVictim({
    connections: { floor: { type: 'mqtt', url: `mqtt://${host}`, username, password, clientId: unique('floor') } },
    routes: {
      mapped: {
        from: { connection: 'floor', topic: `${topic}/in` },
        to: [
          { id: 'map', connection: 'floor', topic: `${topic}/map`, qos: 1, payload: { id: '${payload.id}' } },
          { id: 'text', connection: 'floor', topic: `${topic}/text`, qos: 1, text: '{"id":${payload.id}}' },
          { id: 'same', connection: 'floor', topic: `${topic}/same`, qos: 1 },
        ],
      },
      posted: {
        from: { connection: 'http', topic: `${topic}/posted` },
        to: { connection: 'floor', topic: `${topic}/rest`, qos: 1 },
      },
    },
  });
  const device = await mqtt.connectAsync(url, { protocolVersion: 5 });
  const got: [string, string][] = [];
  device.on('message', (where, body) => got.push([where.slice(topic.length + 1), body.toString()]));
  await device.subscribeAsync(
    ['map', 'text', 'same', 'rest'].map((name) => `${topic}/${name}`),
    { qos: 1 },
  );
  const refused: string[] = [];
  const outcome = await underAttack(victim, async () => {
    for (const number of NUMBERS) {
      await device.publishAsync(`${topic}/in`, `{"id":${number}}`, { qos: 1 });
      const answer = await post(`${victim.url}/v1/messages`, `{"topic":"${topic}/posted","payload":{"id":${number}}}`);
      if (answer.status !== 202) refused.push(number);
    }
    await device.publishAsync(`${topic}/in`, '{"id":0}', { qos: 1 });
    await waitFor(() => got.filter(([, body]) => body === '{"id":0}').length === 3, {
      what: 'the last one',
      timeout: 10_000,
    });
    return NUMBERS.length * 2;
  });
  await device.endAsync();
  expectUnharmed(outcome, { growth: 100 });
  const sent = new Set([...NUMBERS, '0'].map((number) => `{"id":${number}}`));
  expect(got.filter(([, body]) => !sent.has(body))).toEqual([]);
  expect(got.filter(([where]) => where === 'same')).toHaveLength(NUMBERS.length + 1);
  const letters = JSON.parse((await ask(`${victim.url}/v1/dead-letters?limit=200`)).body).deadLetters.length;
  for (const way of ['map', 'text'])
    expect(got.filter(([where]) => where === way).length + letters, way).toBeGreaterThanOrEqual(NUMBERS.length);
  expect(got.filter(([where]) => where === 'rest')).toHaveLength(NUMBERS.length - refused.length);
});

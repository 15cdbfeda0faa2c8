import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import amqp from 'amqplib';
import mqtt from 'mqtt';
import { expect, it } from 'vitest';
import { runCli } from '../../support/gateway-process.ts';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { deadLettersOf } from '../kit/events.ts';
import { ask, post } from '../kit/http.ts';
import { someOf } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

const shared = useSharedBrokers('mosquitto', 'rabbitmq');

const nested = (depth: number, open = '[', close = ']'): string => open.repeat(depth) + close.repeat(depth);

/** Bodies of many levels: whole, without an end, with keys, and with what a shallow look takes for levels. */
const DEEP: Readonly<Record<string, string>> = {
  'lists of 100,000 levels': nested(100_000),
  'lists without an end': '['.repeat(300_000),
  'objects of 100,000 levels': `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
  'brackets in a text': JSON.stringify({ a: '['.repeat(200_000) }),
  'quotes and backslashes': `{"a":"${'\\"'.repeat(200_000)}"}`,
  'a level too many': nested(129),
  'as many levels as there may be': nested(128),
  'numbers that no double holds': `[${'12345678901234567890,'.repeat(20_000)}0]`,
  'a key of prototypes': '{"__proto__":{"a":1},"constructor":{"prototype":{"b":2}}}',
};

it('bodies of many levels pass or are refused, by whichever door they come', async () => {
  const name = unique('deep');
  const url = shared.mosquitto.urls.plain;
  const { username, password, host } = new URL(url);
  const to = { connection: 'out', channel: 'x' };
  const looking = { when: 'size(text) > 0 && payload != null && !has(payload.nothing)' };
  const victim = await startVictim({
    connections: {
      floor: { type: 'mqtt', url: `mqtt://${host}`, username, password, clientId: unique('floor') },
      erp: {
        type: 'amqp',
        url: shared.rabbitmq.urls.plain,
        declare: { queues: [{ name }] },
      },
      out: { type: 'memory', broker: name },
    },
    routes: {
      devices: {
        from: { connection: 'floor', topic: name, qos: 1 },
        ...looking,
        to: { ...to, payload: { inner: '${payload}' } },
      },
      orders: { from: { connection: 'erp', queue: name }, ...looking, to: { ...to, text: '${payload}' } },
      apps: { from: { connection: 'http', topic: name }, ...looking, to: { ...to, payload: { inner: '${payload}' } } },
    },
  });
  const device = await mqtt.connectAsync(url, { protocolVersion: 5 });
  const broker = await amqp.connect(shared.rabbitmq.urls.plain);
  const channel = await broker.createConfirmChannel();
  const outcome = await underAttack(victim, async () => {
    for (const [what, body] of Object.entries(DEEP)) {
      await device.publishAsync(name, body, { qos: 1 });
      channel.sendToQueue(name, Buffer.from(body), { contentType: 'application/json' });
      const texts = [`{"topic":"${name}","payload":${body}}`, `{"topic":"${name}","headers":${body},"text":"x"}`, body];
      for (const text of texts)
        expect([202, 400, 413, 422], what).toContain((await post(`${victim.url}/v1/messages`, text)).status);
      for (const path of ['dead-letters/retry', 'dead-letters/drop', 'targets/apps%2Fout%2Fchannel:x/retry'])
        expect((await post(`${victim.url}/v1/${path}`, body)).status, `${what} to ${path}`).toBeLessThan(500);
    }
    await channel.waitForConfirms();
    await device.publishAsync(name, '{"last":1}', { qos: 1 });
    await waitFor(async () => (await ask(`${victim.url}/v1/events?connection=floor&limit=1`)).body.includes('last'), {
      what: 'the last one',
      timeout: 20_000,
      interval: 100,
    });
    expect((await ask(`${victim.url}/v1/events?limit=500`)).status).toBe(200);
    for (const { id } of await deadLettersOf(victim))
      expect((await ask(`${victim.url}/v1/dead-letters/${id}`)).status).toBe(200);
    return Object.keys(DEEP).length * 8;
  });
  await device.endAsync();
  await channel.deleteQueue(name);
  await broker.close();
  expectUnharmed(outcome, { growth: 300 });
});

it('the command line takes such bodies as others', async () => {
  const victim = await startVictim({
    connections: { out: { type: 'memory', broker: 'deep' } },
    routes: {
      all: {
        from: { connection: 'http', topic: 'a' },
        to: { connection: 'out', channel: 'x', payload: { inner: '${payload}' } },
      },
    },
  });
  const deep = nested(60_000);
  const outcome = await underAttack(victim, async () => {
    const commands = [
      ['publish', 'a', deep, '--url', victim.url],
      ['publish', 'a', nested(128), '--url', victim.url],
      ['explain', 'http', 'a', deep, '-c', victim.home.file],
      ['explain', 'http', 'a', 'x', '--origin', deep, '-c', victim.home.file],
      ['dead-letters', 'retry', 'x', '--payload', deep, '--url', victim.url],
      ['dead-letters', 'retry', '--all', '--rate', 'Infinity', '--url', victim.url],
      ['dead-letters', 'retry', '--all', '--rate', '1e-300', '--url', victim.url],
      ['dead-letters', 'list', '--limit', '9'.repeat(400), '--url', victim.url],
      ['dead-letters', 'list', '--since', '999999999999d', '--url', victim.url],
      ['dead-letters', 'list', '--since', '36525d', '--url', victim.url],
      ['dead-letters', 'list', '--since', '+275760-09-13T00:00:00Z', '--url', victim.url],
      ['tail', '--since', '9'.repeat(300), '--url', victim.url],
    ];
    for (const command of someOf(commands, 4)) {
      const { code, stdout, stderr } = await runCli(...command);
      const shown = `${command.slice(0, 3).join(' ').slice(0, 60)}: ${stdout.slice(0, 300)}${stderr.slice(0, 300)}`;
      expect([0, 1], shown).toContain(code);
      expect(stderr, shown).not.toMatch(/^\s+at .*:\d+:\d+\)?$|RangeError|Invalid time/m);
      expect(stdout.length + stderr.length, shown).toBeLessThan(deep.length * 3 + 5000);
    }
    return someOf(commands, 4).length;
  });
  expectUnharmed(outcome, { growth: 150 });
});

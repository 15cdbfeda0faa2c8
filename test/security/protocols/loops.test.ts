import { setTimeout as sleep } from 'node:timers/promises';
import { unique, useSharedBrokers } from '@magpie/testkit';
import mqtt from 'mqtt';
import { expect, it } from 'vitest';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { amount } from '../kit/settings.ts';
import { startVictim } from '../kit/victim.ts';

const shared = useSharedBrokers('mosquitto');

/** More than this of one message is an avalanche. */
const MOST = 200;

it.each([3, 5])(
  'one message between two gateways over MQTT %i that copy to each other does not become an avalanche',
  async (version) => {
    const prefix = unique('loop');
    const url = shared.mosquitto.urls.plain;
    const { username, password, host } = new URL(url);
    const floor = (clientId: string) => ({
      type: 'mqtt',
      version,
      url: `mqtt://${host}`,
      username,
      password,
      clientId: `${prefix}-${clientId}`,
    });
    const copy = (from: string, to: readonly string[]) => ({
      from: { connection: 'floor', topic: `${prefix}/${from}`, qos: 1 },
      to: to.map((name) => ({ connection: 'floor', topic: `${prefix}/${name}`, qos: 1 })),
    });
    const one = await startVictim({
      id: 'one',
      connections: { floor: floor('one') },
      routes: { there: copy('a', ['b', 'c']) },
    });
    await startVictim({
      id: 'two',
      connections: { floor: floor('two') },
      routes: { back: copy('b', ['a']), forth: copy('c', ['a']) },
    });
    const device = await mqtt.connectAsync(url, { protocolVersion: 5 });
    let seen = 0;
    device.on('message', () => seen++);
    await device.subscribeAsync(`${prefix}/#`, { qos: 0 });
    const outcome = await underAttack(one, async () => {
      await device.publishAsync(`${prefix}/a`, 'once', { qos: 1 });
      await sleep(amount(4000, 30_000));
      return 1;
    });
    await device.endAsync();
    expectUnharmed(outcome, { growth: 150 });
    expect(seen).toBeLessThan(MOST);
  },
);

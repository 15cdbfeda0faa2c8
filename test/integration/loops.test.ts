import { setTimeout as sleep } from 'node:timers/promises';
import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import mqtt from 'mqtt';
import { expect, it, onTestFinished } from 'vitest';
import { type GatewayProcess, gatewayHome } from '../support/gateway-process.ts';

const shared = useSharedBrokers('mosquitto');

/** Most copies of one message over both topics, in all. */
const MOST = 24;

const get = async <T>({ url }: GatewayProcess, path: string): Promise<T> =>
  (await (await fetch(`${url}${path}`)).json()) as T;

it('a message that two gateways send to each other by MQTT 3.1.1 ends with an alarm, and others are not touched', {
  timeout: 120_000,
}, async () => {
  const prefix = unique('loop');
  const broker = shared.mosquitto.urls.plain;
  const { username, password, host } = new URL(broker);
  const route = (from: string, to: string) => ({
    from: { connection: 'floor', topic: `${prefix}/${from}`, qos: 1 },
    to: { connection: 'floor', topic: `${prefix}/${to}`, qos: 1 },
  });
  const start = async (id: string, routes: object): Promise<GatewayProcess> => {
    const floor = { type: 'mqtt', version: 3, url: `mqtt://${host}`, username, password, clientId: `${prefix}-${id}` };
    const head = { version: 1, gateway: { id, dataDir: './data' }, http: { port: 0 } };
    const home = await gatewayHome(JSON.stringify({ ...head, connections: { floor }, routes }));
    onTestFinished(() => home.remove());
    return home.start();
  };
  const gateways = await Promise.all([
    start('one', { there: route('a', 'b'), sensor: route('sensor', 'seen'), status: route('status', 'shown') }),
    start('two', { back: route('b', 'a') }),
  ]);
  const device = await mqtt.connectAsync(broker, { protocolVersion: 4 });
  onTestFinished(() => device.endAsync());
  const texts = new Map<string, string[]>();
  const seen = (place: string): readonly string[] => texts.get(place) ?? [];
  device.on('message', (topic, body) => {
    const place = topic.slice(prefix.length + 1);
    texts.set(place, [...seen(place), body.toString()]);
  });
  await device.subscribeAsync(`${prefix}/#`, { qos: 1 });

  await device.publishAsync(`${prefix}/a`, 'once', { qos: 1 });
  let [slow, fast] = [0, 0];
  const publish = async (place: string, text: string): Promise<unknown> =>
    device.publishAsync(`${prefix}/${place}`, text, { qos: 1 });
  const alarms = async (): Promise<readonly string[]> =>
    (await Promise.all(gateways.map((each) => get<{ alarms: string[] }>(each, '/v1')))).flatMap((each) => each.alarms);
  await waitFor(
    async () => {
      // A sensor that says the same every 300 ms or so, and a status that comes 20 times a second.
      for (let index = 0; index < 6; index++) {
        await publish('status', 'ok');
        fast++;
        await sleep(50);
      }
      await publish('sensor', '21.5');
      slow++;
      return (await alarms()).some((alarm) => alarm.includes('comes back there'));
    },
    { what: 'the alarm', timeout: 60_000 },
  );
  const copies = () => [...seen('a'), ...seen('b')];
  const before = copies().length;
  await sleep(2000);
  expect(copies().length, 'nothing goes round any more').toBe(before);
  expect(before).toBeGreaterThan(1);
  expect(before).toBeLessThanOrEqual(MOST);

  await waitFor(() => seen('shown').length >= fast && seen('seen').length >= slow, {
    what: 'the other messages',
    timeout: 20_000,
  });
  expect([seen('shown').length, seen('seen').length]).toEqual([fast, slow]);
  const letters = await Promise.all(
    gateways.map((each) => get<{ deadLetters: { reason: string }[] }>(each, '/v1/dead-letters')),
  );
  const reasons = letters.flatMap(({ deadLetters }) => deadLetters.map(({ reason }) => reason));
  expect(new Set(reasons)).toEqual(new Set(['loop']));
});

import { createAccount } from '@magpie/brokers';
import { type People, type Person, startPeople, unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type GatewayHome, type GatewayProcess, gatewayHome } from '../../support/gateway-process.ts';

const shared = useSharedBrokers('mosquitto', 'prosody');
const ALARMS = 300;
const MAX = 5;
const bridge = unique('bridge');
const account = unique('nadia');
const homes: GatewayHome[] = [];
let people: People;
let nadia: Person;
let device: MqttClient;

beforeAll(async () => {
  const server = shared.prosody;
  for (const each of [bridge, account]) await createAccount(server, each, `${each}-secret`);
  people = await startPeople();
  nadia = await people.login(server, account);
  device = await mqtt.connectAsync(shared.mosquitto.urls.plain);
});
afterAll(async () => {
  await Promise.all([...homes.map((each) => each.remove()), device?.endAsync()]);
  await people.close();
});

/** A gateway that brings alarms of a plant into a room, where Nadia hears them. */
async function stage(per: string) {
  const plant = unique('plant');
  const room = `${unique('alarms')}@conference.localhost`;
  const rate = { max: MAX, per, summary: '${count} more from ${devices}' };
  const configuration = {
    version: 1,
    gateway: { id: 'magpie' },
    http: { port: 0 },
    connections: {
      chat: {
        type: 'xmpp',
        jid: `${bridge}@localhost`,
        password: `${bridge}-secret`,
        url: shared.prosody.urls.plain,
        tls: { ca: shared.prosody.ca },
      },
      floor: { type: 'mqtt', url: `mqtt://127.0.0.1:${shared.mosquitto.ports.plain}`, clientId: unique('floor') },
    },
    routes: {
      alarms: {
        from: { connection: 'floor', topic: `${plant}/{device}/alarm` },
        to: { connection: 'chat', room, text: 'alarm ${text}', rate },
      },
    },
  };
  await nadia.join(room, 'nadia');
  const home = await gatewayHome(JSON.stringify(configuration));
  homes.push(home);
  const gateway: GatewayProcess = await home.start();
  const heard = () => nadia.messages.flatMap(({ from, body }) => (from === `${room}/magpie` && body ? [body] : []));
  const lines = () => heard().filter((body) => body.startsWith('alarm '));
  const summaries = () => heard().filter((body) => body.includes(' more from '));
  const counted = () => summaries().reduce((sum, body) => sum + Number.parseInt(body, 10), 0);
  const told = () => new Set(lines()).size + counted();
  return {
    ...{ gateway, home, lines, summaries, told },
    /** Alarms of three devices, a hundred in a second. */
    raise: async (first: number, count: number): Promise<void> => {
      for (let next = first; next < first + count; next += 10) {
        const burst = Array.from({ length: 10 }, (_, index) => next + index);
        const sent = burst.map((each) => device.publishAsync(`${plant}/pump${each % 3}/alarm`, `${each}`, { qos: 1 }));
        await Promise.all(sent);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    allTold: () => waitFor(() => told() >= ALARMS, { what: 'all alarms, as lines or counted', timeout: 60_000 }),
  };
}

it('a burst of alarms is so many lines in the room, and one that counts the others and names their devices', async () => {
  const { raise, allTold, lines, summaries } = await stage('15s');
  await raise(0, ALARMS);
  await allTold();
  expect(lines()).toEqual(Array.from({ length: MAX }, (_, index) => `alarm ${index}`));
  expect(summaries()).toEqual([expect.stringMatching(/^295 more from pump\d, pump\d, pump\d$/)]);
}, 90_000);

it('what the room hears adds up although the gateway is killed in the middle', async () => {
  const { raise, allTold, lines, summaries, told, gateway, home } = await stage('4s');
  await raise(0, ALARMS / 2);
  await gateway.kill();
  await home.start();
  await raise(ALARMS / 2, ALARMS / 2);
  await allTold();
  expect(told()).toBe(ALARMS);
  expect(new Set(lines()).size).toBeLessThanOrEqual(MAX * (summaries().length + 1));
}, 90_000);

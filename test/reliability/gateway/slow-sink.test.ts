import { setTimeout as sleep } from 'node:timers/promises';
import { type TcpProxy, tcpProxy, useBrokers, waitFor } from '@magpie/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { type GatewayProcess, gatewayHome } from '../../support/gateway-process.ts';
import { mqttReader } from '../kit/clients/mqtt.ts';
import { pushHttp, pushMqtt } from '../kit/clients/pusher.ts';
import { watchUsage } from '../kit/measure/memory.ts';
import { deadLetters, received } from '../kit/measure/probe.ts';
import { printFindings } from '../kit/measure/table.ts';
import { createTally, type Tally } from '../kit/measure/tally.ts';
import { numberOf } from '../kit/measure/torrent.ts';
import { times } from '../kit/settings.ts';

const LASTS_MS = times(10_000, 3_600_000);
const WARM_UP_MS = times(3000, 600_000);
const TIMEOUT_MS = WARM_UP_MS + LASTS_MS + 240_000;
/** The slow target has one message on its way at a time, on a line that takes so long in each direction: 20 a second. */
const DELAY_MS = 25;
const BYTES = 2000;
/** What may wait for the slow target of each route, in messages. */
const BACKLOG = 256;
/** Messages that Mosquitto may have sent to the gateway before they are in its log. */
const RECEIVE_MAXIMUM = 200;
/** Messages that the MQTT adapter hands over at once. */
const BATCH = 500;
/**
 * How the device that feeds the slow target publishes, and how far it may be ahead of it: what the gateway does not take,
 * Mosquitto keeps. Mosquitto 2.0.11 sends all it has kept at the next PUBACK, whatever the receive maximum: with a steady
 * device that is not much.
 */
const DEVICE = { pause: 5, ahead: 4000 };
/** Between two messages that do not concern the slow target. */
const OTHERS_PAUSE_MS = 10;
/**
 * What the second half may need more than the first. At a low rate it takes V8 half an hour until its heap has the size that
 * it keeps; a queue would grow on.
 */
const RSS_SLACK_MB = times(128, 32);

const brokers = useBrokers({
  // What it keeps while the gateway takes nothing must not be bounded by Mosquitto.
  mosquitto: { persistence: false, extraConfig: ['max_queued_messages 100000'] },
});

/** A gateway with a slow target, fed by the API and by a device, and another route between other devices. */
async function start(line: TcpProxy): Promise<GatewayProcess> {
  const { anonymous } = brokers.mosquitto.urls;
  const slow = { connection: 'slow', backlog: { bytes: `${(BACKLOG * BYTES) / 1024}KiB` } };
  const home = await gatewayHome(
    JSON.stringify({
      version: 1,
      gateway: { id: 'slow-sink', dataDir: './data' },
      http: { port: 0 },
      connections: {
        floor: { type: 'mqtt', url: anonymous, clientId: 'floor', receiveMaximum: RECEIVE_MAXIMUM },
        other: { type: 'mqtt', url: anonymous, clientId: 'other' },
        slow: { type: 'mqtt', url: line.url(anonymous), clientId: 'slow', maxInflight: 1 },
      },
      routes: {
        app: { from: { connection: 'http', topic: 'app/{key}' }, to: { ...slow, topic: 'slow/app' } },
        device: { from: { connection: 'floor', topic: 'device/{key}' }, to: { ...slow, topic: 'slow/device' } },
        // Its target is the connection whose source is held.
        others: { from: { connection: 'other', topic: 'others/{key}' }, to: { connection: 'floor', topic: 'fast' } },
      },
    }),
  );
  onTestFinished(() => home.remove());
  return home.start();
}

/** Counts what arrives at a topic. */
async function arrivals(topic: string): Promise<Tally> {
  const tally = createTally(10);
  const { anonymous } = brokers.mosquitto.urls;
  const clientId = `reads-${topic}`;
  const reader = await mqttReader(anonymous, { clientId, filter: topic }, (text) => tally.received(...numberOf(text)));
  onTestFinished(() => reader.close());
  return tally;
}

it(
  'a target that takes 20 messages a second holds back who feeds it, and nobody else',
  async () => {
    const line = await tcpProxy({ port: brokers.mosquitto.ports.plain });
    onTestFinished(() => line.close());
    const gateway = await start(line);
    const [app, device, others] = await Promise.all([arrivals('slow/app'), arrivals('slow/device'), arrivals('fast')]);
    line.delay(DELAY_MS);

    const url = brokers.mosquitto.urls.anonymous;
    const apps = pushHttp({ url: gateway.url, topic: (key) => `app/${key}`, size: BYTES });
    const devices = await pushMqtt(
      { url, topic: (key) => `device/${key}`, size: BYTES },
      { mayGo: (sent) => sent - device.count < DEVICE.ahead, pause: DEVICE.pause },
    );
    const rest = await pushMqtt(
      { url, topic: (key) => `others/${key}`, size: BYTES },
      { mayGo: () => true, pause: OTHERS_PAUSE_MS },
    );
    await sleep(WARM_UP_MS);
    const before = { slow: app.count + device.count, others: others.count };
    const watch = await watchUsage(gateway.pid);
    await sleep(LASTS_MS);
    const usage = await watch.stop();
    const after = { slow: app.count + device.count, others: others.count };
    const taken = await received(gateway, 'floor');
    const passed = device.count;

    const refused = apps.refused();
    const sent = await Promise.all([apps.stop(), devices.stop(), rest.stop()]);
    const acked = { app: sent[0], device: sent[1], others: sent[2] };
    line.delay(0);
    const drained = performance.now();
    const arrived = (): boolean =>
      app.count >= acked.app && device.count >= acked.device && others.count >= acked.others;
    await waitFor(arrived, { what: 'all of it', timeout: 60_000 }).catch(() => undefined); // the reports say it better

    printFindings([
      `slow target: ${perSecond(after.slow - before.slow)}, other route: ${perSecond(after.others - before.others)}`,
      `429: ${refused}; taken from the device ${taken}, passed on ${passed}, kept by Mosquitto ${acked.device - taken}`,
      `RSS ${usage.first} MB at first, peak ${usage.earlyPeak} MB in the first half, ${usage.peak} MB in all`,
      `drained in ${(performance.now() - drained).toFixed(0)} ms`,
    ]);
    expect(app.report(acked.app)).toMatchObject({ lost: 0, disordered: 0 });
    expect(device.report(acked.device)).toMatchObject({ lost: 0, disordered: 0 });
    expect(others.report(acked.others)).toMatchObject({ lost: 0, disordered: 0 });
    expect(await deadLetters({ gateway })).toBe(0);
    expect(refused).toBeGreaterThan(0);
    expect(taken - passed).toBeLessThanOrEqual(BACKLOG + BATCH + RECEIVE_MAXIMUM);
    expect(after.slow - before.slow).toBeLessThanOrEqual((LASTS_MS / 1000) * 25);
    expect(after.others - before.others).toBeGreaterThan(LASTS_MS / OTHERS_PAUSE_MS / 10);
    expect(usage.peak).toBeLessThan(usage.earlyPeak + RSS_SLACK_MB);
  },
  TIMEOUT_MS,
);

const perSecond = (count: number): string => `${((count * 1000) / LASTS_MS).toFixed(1)}/s`;

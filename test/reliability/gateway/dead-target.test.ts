import { type TcpProxy, tcpProxy, useBrokers, waitFor } from '@magpie/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { type GatewayHome, type GatewayProcess, gatewayHome, waitReady } from '../../support/gateway-process.ts';
import { amqpReader } from '../kit/clients/amqp.ts';
import { type Usage, watchUsage } from '../kit/measure/memory.ts';
import { connectionState, deadLetters } from '../kit/measure/probe.ts';
import { printFindings } from '../kit/measure/table.ts';
import { numberOf, openTorrent, streamTally, type Torrent } from '../kit/measure/torrent.ts';
import { times } from '../kit/settings.ts';

/** Events that wait for the dead target. */
const EVENTS = times(24_000, 1_000_000);
const BYTES = times(6144, 512);
/** The two streams take turns this often: what else the machine does then hits both alike. */
const TURNS = times(4, 20);
const SLICE = EVENTS / TURNS;
const WARM_UP = times(5000, 200_000);
const TIMEOUT_MS = times(240_000, 3_600_000);
/** Memory that it may cost: less than the events themselves. In the short form the memory of a process is still rising. */
const RSS_SLACK_MB = times(100, 64);
/** The way back may take more: it uses a link that carries nothing in what it is compared with. */
const DRAIN_SLACK_MB = times(100, 128);
/** Longer than a start without a backlog takes. */
const READY_SLACK_MS = times(5000, 500);
/** Share of the usual throughput that the live target must keep: no matter for a short look at a busy machine. */
const LEAST_RATIO = times(0, 0.95);

const brokers = useBrokers({
  mosquitto: { persistence: false, extraConfig: ['max_inflight_messages 1000', 'max_queued_messages 100000'] },
  rabbitmq: {},
});

type Stream = 'calm' | 'both';

/** A gateway between Mosquitto and itself, and to RabbitMQ on a line that can be cut. */
async function makeHome(erp: TcpProxy): Promise<GatewayHome> {
  const from = (stream: Stream): object => ({ connection: 'floor', topic: `${stream}/{key}` });
  const to = (stream: Stream): object => ({ connection: 'floor', topic: `live/${stream}` });
  const dead = { connection: 'erp', queue: 'dead', backlog: { bytes: '8GiB' } };
  const home = await gatewayHome(
    JSON.stringify({
      version: 1,
      gateway: { id: 'dead-target', dataDir: './data' },
      http: { port: 0 },
      connections: {
        floor: { type: 'mqtt', url: brokers.mosquitto.urls.anonymous, clientId: 'dead-target', receiveMaximum: 1000 },
        erp: { type: 'amqp', url: erp.url(brokers.rabbitmq.urls.plain), declare: { queues: [{ name: 'dead' }] } },
      },
      routes: { calm: { from: from('calm'), to: to('calm') }, both: { from: from('both'), to: [to('both'), dead] } },
    }),
  );
  onTestFinished(() => home.remove());
  return home;
}

/** Messages of both streams in turns, as fast as they go; resolves to the messages a second of each. */
async function inTurns(torrent: Torrent<Stream>): Promise<Readonly<Record<Stream, number>>> {
  const seconds = { calm: 0, both: 0 };
  for (let turn = 0; turn < TURNS; turn++) {
    seconds.calm += await torrent.pour('calm', SLICE);
    seconds.both += await torrent.pour('both', SLICE);
  }
  return { calm: EVENTS / seconds.calm, both: EVENTS / seconds.both };
}

/** How much memory the gateway needs for the messages that do not concern the target that will be dead. */
async function baselineOf(gateway: GatewayProcess, torrent: Torrent<Stream>): Promise<Usage> {
  await torrent.pour('calm', WARM_UP);
  const watch = await watchUsage(gateway.pid);
  await torrent.pour('calm', EVENTS);
  return watch.stop();
}

async function cutLine(gateway: GatewayProcess, erp: TcpProxy): Promise<void> {
  await erp.refuse(true);
  erp.reset();
  await waitFor(async () => (await connectionState({ gateway }, 'erp')) !== 'up', { what: 'the outage of erp' });
}

/** Ends a gateway and starts it again; resolves to the ms until its live connection was up. */
async function restarted(gateway: GatewayProcess, home: GatewayHome) {
  expect(await gateway.terminate()).toBe(0);
  const started = performance.now();
  const next = await home.start({ ready: false });
  const isUp = async (): Promise<boolean> => (await connectionState({ gateway: next }, 'floor')) === 'up';
  await waitFor(isUp, { what: 'floor to be up', timeout: 20_000 });
  return { gateway: next, ready: performance.now() - started };
}

it(
  'a target that is away costs the others nothing, and gets everything in order when it is back',
  async () => {
    const erp = await tcpProxy({ port: brokers.rabbitmq.ports.plain });
    onTestFinished(() => erp.close());
    const home = await makeHome(erp);
    const torrent = await openTorrent<Stream>({
      url: brokers.mosquitto.urls.plain,
      streams: ['calm', 'both'],
      size: BYTES,
    });
    onTestFinished(() => torrent.close());

    const first = await home.start();
    const baseline = await baselineOf(first, torrent);
    const second = await restarted(first, home);
    await waitReady(second.gateway);
    await torrent.pour('calm', WARM_UP);
    await cutLine(second.gateway, erp);
    const loading = await watchUsage(second.gateway.pid);
    const rate = await inTurns(torrent);
    const loaded = await loading.stop();
    const { gateway, ready } = await restarted(second.gateway, home);
    await torrent.pour('both', SLICE);

    const dead = streamTally();
    const reader = await amqpReader(brokers.rabbitmq.urls.plain, 'dead', (text) => dead.received(...numberOf(text)));
    onTestFinished(() => reader.close());
    const emptying = await watchUsage(gateway.pid);
    await erp.refuse(false);
    await waitReady(gateway);
    const back = performance.now();
    const waiting = torrent.sent('both');
    const drained = { what: 'the backlog to drain', timeout: 60_000 + waiting };
    await waitFor(() => dead.count >= waiting, drained).catch(() => undefined); // the report says it better
    const drain = waiting / ((performance.now() - back) / 1000);
    const emptied = await emptying.stop();

    const ratio = rate.both / rate.calm;
    printFindings([
      `${waiting} events of ${BYTES} bytes behind a dead target`,
      `live target: ${rate.calm.toFixed(0)}/s without, ${rate.both.toFixed(0)}/s with it: ratio ${ratio.toFixed(3)}`,
      `RSS: baseline ${inWords(baseline)}; dead target ${inWords(loaded)}; draining ${inWords(emptied)}`,
      `up ${second.ready.toFixed(0)} ms after a start without a backlog, ${ready.toFixed(0)} ms with it`,
      `drained at ${drain.toFixed(0)}/s`,
    ]);
    expect(dead.report(waiting)).toMatchObject({ lost: 0, disordered: 0 });
    expect(torrent.live.both.report(waiting)).toMatchObject({ lost: 0, disordered: 0 });
    expect(torrent.live.calm.report(torrent.sent('calm'))).toMatchObject({ lost: 0, disordered: 0 });
    expect(await deadLetters({ gateway })).toBe(0);
    expect(loaded.peak).toBeLessThan(baseline.peak + RSS_SLACK_MB);
    expect(emptied.peak).toBeLessThan(baseline.peak + DRAIN_SLACK_MB);
    expect(ready).toBeLessThan(second.ready + READY_SLACK_MS);
    expect(ratio).toBeGreaterThan(LEAST_RATIO);
  },
  TIMEOUT_MS,
);

const inWords = ({ usual, peak, slope }: Usage): string =>
  `${usual} MB, peak ${peak} MB, ${slope.toFixed(1)} MB a minute`;

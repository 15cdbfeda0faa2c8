import { setTimeout as sleep } from 'node:timers/promises';
import { startMosquitto } from '@magpie/brokers';
import mqtt from 'mqtt';
import type { Contender, Site } from '../paths/path.ts';
import { input, output } from '../paths/places.ts';

const CONNECT_MS = 15_000;

const options = (site: Site, qos: 0 | 1): readonly string[] => [
  'max_inflight_messages 5000',
  `connection ${site.name}`,
  `address 127.0.0.1:${site.port('mosquitto2')}`,
  `remote_clientid ${site.name}`,
  'bridge_protocol_version mqttv311',
  'restart_timeout 1',
  `topic "" out ${qos} ${input(site)} ${output(site)}`,
];

/** Mosquitto's own bridge: the broker that messages come in at carries them to the next. */
export const mosquittoBridge = (qos: 0 | 1): Contender => ({
  name: 'Mosquitto bridge',
  guarantee:
    qos === 0
      ? 'at most once; the broker is the bridge: one hop less'
      : 'at least once while it runs, nothing on disk; the broker is the bridge: one hop less',
  process: 'peer',
  start: async (site) => {
    const broker = await startMosquitto({ persistence: false, extraConfig: options(site, qos) });
    try {
      await bridged(site, broker.urls.anonymous);
      return { pid: broker.pid ?? 0, port: broker.ports.plain, notes: [], stop: broker.stop };
    } catch (error) {
      await broker.stop();
      throw error;
    }
  },
  ends: (site, { port = 0 }) => ({
    source: { kind: 'mqtt', port, qos, topics: [input(site)] },
    sink: { kind: 'mqtt', port: site.port('mosquitto2'), qos, filter: output(site) },
  }),
});

/** Waits until the broker says that its bridge has connected. */
async function bridged(site: Site, url: string): Promise<void> {
  const client = await mqtt.connectAsync(url);
  let up = false;
  client.on('message', (_, payload) => {
    up ||= payload.toString() === '1';
  });
  await client.subscribeAsync(`$SYS/broker/connection/${site.name}/state`);
  const deadline = performance.now() + CONNECT_MS;
  while (!up && performance.now() < deadline) await sleep(50);
  await client.endAsync();
  if (!up) throw new Error(`did not reach the other broker within ${CONNECT_MS / 1000} s`);
}

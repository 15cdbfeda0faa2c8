import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf, run } from '@magpie/brokers';
import type { Contender, Site } from '../paths/path.ts';
import { input, output } from '../paths/places.ts';
import { ownDirectory, startChild } from '../world/child.ts';
import { declareQueue } from './declare-queue.ts';
import { freePort } from './free-port.ts';

const PACKAGES = ['node-red@5.0.7', 'node-red-contrib-amqp@0.4.5'] as const;
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'magpie-bench', PACKAGES.join('+'));
const RED = join(CACHE, 'node_modules/node-red/red.js');
const INSTALL_MS = 300_000;

/** A flow: nodes as Node-RED's editor exports them. */
type Flow = readonly Readonly<Record<string, unknown>>[];

/** Installs Node-RED with npm into a cache folder, once. */
async function install(): Promise<void> {
  if (existsSync(RED)) return;
  mkdirSync(CACHE, { recursive: true });
  try {
    const flags = ['--prefix', CACHE, '--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', ['install', ...flags, ...PACKAGES], { timeout: INSTALL_MS });
  } catch (error) {
    const [sentence] = messageOf(error).split('\n');
    throw new Error(`could not be installed: ${sentence}`, { cause: error });
  }
}

const settings = (port: number): string =>
  `module.exports = ${JSON.stringify({
    ...{ uiPort: port, uiHost: '127.0.0.1', flowFile: 'flows.json', credentialSecret: false },
    ...{ httpAdminRoot: false, telemetry: { enabled: false } },
    logging: { console: { level: 'info', metrics: false, audit: false } },
  })};\n`;

interface NodeRedOptions {
  readonly guarantee: string;
  readonly flow: (site: Site) => Flow;
  /** How many brokers it logs that it has connected to. */
  readonly connections: number;
  readonly ends?: Contender['ends'];
  /** What has to be there before it starts. */
  readonly prepare?: (site: Site) => Promise<void>;
}

const nodeRed = ({ guarantee, flow, connections, ends, prepare }: NodeRedOptions): Contender => ({
  name: 'Node-RED',
  guarantee,
  process: 'peer',
  start: async (site) => {
    await install();
    await prepare?.(site);
    const port = await freePort();
    const directory = ownDirectory();
    writeFileSync(join(directory, 'settings.js'), settings(port));
    writeFileSync(join(directory, 'flows.json'), JSON.stringify(flow(site)));
    writeFileSync(
      join(directory, 'flows_cred.json'),
      JSON.stringify({ queue: { user: 'magpie', password: 'magpie-secret' } }),
    );
    const args = [RED, '--userDir', directory, '--settings', join(directory, 'settings.js')];
    const child = await startChild(process.execPath, args, { directory });
    try {
      await child.says(new RegExp(`Started flows[\\s\\S]*(Connected to (?:broker|AMQP)[\\s\\S]*){${connections}}`));
      return { pid: child.pid, port, notes: [], stop: child.stop };
    } catch (error) {
      await child.stop();
      throw error;
    }
  },
  ...(ends ? { ends } : {}),
});

const TAB = { id: 'tab', type: 'tab', label: 'bench' };

const broker = (id: string, port: number) => ({
  ...{ id, type: 'mqtt-broker', name: `to ${id}`, broker: '127.0.0.1', port: `${port}`, protocolVersion: '4' },
  ...{ keepalive: '60', cleansession: true, autoConnect: true, usetls: false, clientid: '' },
});

const mqttIn = (site: Site, qos: 0 | 1, wire: string) => ({
  ...{ id: 'in', type: 'mqtt in', z: 'tab', topic: input(site), qos: `${qos}`, datatype: 'buffer', inputs: 0 },
  ...{ broker: 'source', wires: [[wire]] },
});

const mqttOut = (site: Site, qos: 0 | 1, at: string) => ({
  ...{
    id: 'out',
    type: 'mqtt out',
    z: 'tab',
    topic: output(site),
    qos: `${qos}`,
    retain: 'false',
    broker: at,
    wires: [],
  },
});

const AT_MOST_ONCE = 'at most once: acknowledged when received';

/** Node-RED from one MQTT broker to the other. */
export const nodeRedMqtt = (qos: 0 | 1): Contender =>
  nodeRed({
    guarantee: AT_MOST_ONCE,
    connections: 2,
    flow: (site) => [
      TAB,
      broker('source', site.port('mosquitto')),
      broker('target', site.port('mosquitto2')),
      mqttIn(site, qos, 'out'),
      mqttOut(site, qos, 'target'),
    ],
  });

/** Node-RED from HTTP to MQTT. */
export const nodeRedHttp = (sink: Contender['ends']): Contender =>
  nodeRed({
    guarantee: 'at most once: 202 when received',
    connections: 1,
    flow: (site) => [
      TAB,
      broker('target', site.port('mosquitto')),
      { id: 'in', type: 'http in', z: 'tab', url: '/messages', method: 'post', wires: [['out', 'answer']] },
      mqttOut(site, 1, 'target'),
      { id: 'answer', type: 'http response', z: 'tab', statusCode: '202', wires: [] },
    ],
    ...(sink ? { ends: sink } : {}),
  });

/** Node-RED from MQTT to a queue, by the community's AMQP nodes. */
export const nodeRedAmqp: Contender = nodeRed({
  guarantee: `${AT_MOST_ONCE}, published without confirm`,
  connections: 2,
  prepare: (site) => declareQueue(site.url('rabbitmq'), output(site)),
  flow: (site) => [
    TAB,
    broker('source', site.port('mosquitto')),
    {
      ...{ id: 'queue', type: 'amqp-server', host: '127.0.0.1', port: `${site.port('rabbitmq')}`, vhost: '' },
      ...{ keepalive: '30', usetls: false, verifyservercert: false, usetopology: false, topology: '{}' },
    },
    mqttIn(site, 1, 'out'),
    {
      ...{ id: 'out', type: 'amqp out', z: 'tab', routingkey: '', iotype: '4', ioname: output(site) },
      ...{ server: 'queue', wires: [] },
    },
  ],
});

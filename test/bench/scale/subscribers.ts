import { allowOpenFiles } from '../measure/open-files.ts';
import { input } from '../paths/places.ts';
import type { Series } from './series.ts';
import { mqttEnds, mqttRoute, mqttSetup } from './through-mqtt.ts';
import { LOAD_COLUMNS, measureUnderLoad } from './under-load.ts';

/** Files that a process has open besides the sockets of subscribers. */
const OTHER_FILES = 200;

const HELLO = JSON.stringify({ type: 'subscribe', id: 's', connection: 'floor', address: 'nobody/here' });

const underLoad = measureUnderLoad((site, size) => ({
  setup: mqttSetup(site, { bench: mqttRoute(site, input(site)) }),
  prepare: ({ pid }) => allowOpenFiles('the gateway', pid, size + OTHER_FILES),
  ends: ({ port = 0 }) => ({
    ...mqttEnds(site, [input(site)]),
    bystanders: {
      ...{ kind: 'websocket', port, path: '/v1/stream', subscribers: size },
      ...{ protocol: 'magpie.v1.json', hello: HELLO, greeting: '"subscribed"' },
    },
  }),
}));

/** Apps that wait for something that does not come. */
export const subscribers: Series = {
  name: 'scale-subscribers',
  title: 'Idle stream subscribers',
  unit: 'subscribers',
  about: 'WebSockets with one subscription each, to a topic on which nothing comes, while a route carries events.',
  sizes: [10, 100, 1000, 10_000],
  quickSizes: [10, 50],
  needs: ['mosquitto', 'mosquitto2'],
  columns: LOAD_COLUMNS,
  cost: 'cpu',
  memory: 'memory',
  goals: [
    {
      words: '10,000 idle subscribers cost at most 1.1 times as much per event as 10',
      ...{ figure: 'cpu', from: 10, to: 10_000, most: 1.1 },
    },
  ],
  measure: async (sizes, run) => {
    const sockets = sizes.reduce((sum, size) => sum + size, 0);
    try {
      // The generator inherits it, and has the sockets of all sizes open at the same time.
      await allowOpenFiles('the generator', process.pid, sockets + OTHER_FILES);
    } catch (error) {
      run.progress(`${error instanceof Error ? error.message : error}; smaller sizes run`);
    }
    return underLoad(sizes, run);
  },
};

import type { Site } from '../paths/path.ts';
import { input, output } from '../paths/places.ts';
import type { Goal } from '../report/scale-results.ts';
import type { Series } from './series.ts';
import { mqttEnds, mqttRoute, mqttSetup, topicsOf } from './through-mqtt.ts';
import { LOAD_COLUMNS, measureUnderLoad } from './under-load.ts';

const SIZES = { sizes: [10, 100, 1000, 10_000], quickSizes: [10, 100] } as const;

const flat = (words: string, from: number, to: number): Goal => ({
  ...{ words, figure: 'cpu', from, to, most: 1.1 },
});

const START: Goal = {
  words: '10,000 take at most ten times as long to start as 1,000',
  ...{ figure: 'startSeconds', from: 1000, to: 10_000, most: 10 },
};

const UNDER_LOAD = {
  needs: ['mosquitto', 'mosquitto2'],
  columns: LOAD_COLUMNS,
  cost: 'cpu',
  memory: 'memory',
} as const;

/** Routes of which an event matches one. */
export const routes: Series = {
  ...{ name: 'scale-routes', title: 'Routes', unit: 'routes', ...SIZES, ...UNDER_LOAD },
  about: 'Each route has a topic of its own and one target; every event matches one of them.',
  goals: [flat('10,000 routes cost at most 1.1 times as much per event as 10', 10, 10_000), START],
  measure: measureUnderLoad((site, size) => {
    const topics = topicsOf(site, size);
    return {
      setup: mqttSetup(site, Object.fromEntries(topics.map((topic, index) => [`r${index}`, mqttRoute(site, topic)]))),
      ends: () => mqttEnds(site, topics.slice(0, 1)),
    };
  }),
};

/** Targets per route that never matches. */
const PER_ROUTE = 10;

/** The route in use, and others that nothing matches with `count` targets in all. */
function withIdleTargets(site: Site, count: number): Readonly<Record<string, object>> {
  const idle = Array.from({ length: count / PER_ROUTE }, (_, route) => {
    const to = Array.from({ length: PER_ROUTE }, (_, target) => ({
      ...{ connection: 'other', id: `t${target}`, topic: `${output(site)}/idle/${route}/${target}`, qos: 1 },
    }));
    return [`idle${route}`, { from: { connection: 'floor', topic: `${site.name}/idle/${route}`, qos: 1 }, to }];
  });
  return { used: mqttRoute(site, input(site)), ...Object.fromEntries(idle) };
}

/** Targets that never get anything. */
export const idleTargets: Series = {
  ...{ name: 'scale-idle-targets', title: 'Idle targets', unit: 'idle targets', ...SIZES, ...UNDER_LOAD },
  about: `One route carries everything; beside it are routes with ${PER_ROUTE} targets each that no event matches.`,
  goals: [flat('10,000 idle targets cost at most 1.1 times as much per event as 10', 10, 10_000), START],
  measure: measureUnderLoad((site, size) => ({
    setup: mqttSetup(site, withIdleTargets(site, size)),
    ends: () => mqttEnds(site, [input(site)]),
  })),
};

/** Topics of one route, each of them an ordering key. */
export const topics: Series = {
  ...{ name: 'scale-topics', title: 'Topics', unit: 'topics', ...UNDER_LOAD },
  about:
    'One route for all topics, used in turn. Each topic is an ordering key, so that each has a lane while it has work.',
  sizes: [1, 100, 1000, 10_000],
  quickSizes: [1, 100],
  goals: [
    flat('one hot topic costs at most 1.1 times as much per event as a thousand topics', 1000, 1),
    flat('10,000 topics cost at most 1.1 times as much per event as one', 1, 10_000),
  ],
  measure: measureUnderLoad((site, size) => ({
    setup: mqttSetup(site, { bench: mqttRoute(site, `${input(site)}/+`) }),
    ends: () => mqttEnds(site, topicsOf(site, size)),
  })),
};

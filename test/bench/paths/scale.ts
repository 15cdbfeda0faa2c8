import { gateway } from '../world/gateway.ts';
import { mqtt1Amqp, mqttToAmqp, mqttToAmqpRoute, mqttToAmqpSetup } from './mqtt-amqp.ts';
import type { BenchPath, Contender, Site } from './path.ts';
import { input } from './places.ts';

const topicsOf = (site: Site, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${input(site)}/${String(index).padStart(5, '0')}`);

/** The gateway with a route for each of so many topics; `used` of them get messages. */
const withRoutes = (count: number, used: number): Contender =>
  gateway({
    name: `Magpie, ${count.toLocaleString('en-US')} route${count === 1 ? '' : 's'}`,
    setup: (site) => {
      const routes = topicsOf(site, count).map((topic, index) => [`r${index}`, mqttToAmqpRoute(site, topic)]);
      return mqttToAmqpSetup(site, Object.fromEntries(routes));
    },
    ends: (site) => mqttToAmqp(site, topicsOf(site, used)),
  });

const COUNTS = [1, 100, 10_000] as const;

/** What routes cost that do not match. */
export const routes: BenchPath = {
  ...mqtt1Amqp,
  name: 'routes',
  title: '1, 100 and 10,000 routes, messages for one of them',
  base: 'Magpie, 1 route',
  peers: [],
  contenders: COUNTS.map((count) => withRoutes(count, 1)),
};

/** What many routes cost that are all in use. */
export const routesSpread: BenchPath = {
  ...routes,
  name: 'routes-spread',
  title: '1, 100 and 10,000 routes, messages for all of them in turn',
  contenders: COUNTS.map((count) => withRoutes(count, count)),
};

/** The gateway with one route for all topics. */
const withTopics = (name: string, count: number): Contender =>
  gateway({
    name: `Magpie, ${name}`,
    setup: (site) => mqttToAmqpSetup(site, { bench: mqttToAmqpRoute(site, `${input(site)}/+`) }),
    ends: (site) => mqttToAmqp(site, topicsOf(site, count)),
  });

/** One ordering key and a thousand. */
export const topics: BenchPath = {
  ...mqtt1Amqp,
  name: 'topics',
  title: 'One hot topic and 1,000 topics',
  base: 'Magpie, 1,000 topics',
  peers: [],
  contenders: [withTopics('one topic', 1), withTopics('1,000 topics', 1000)],
};

import type { Ends, Site } from '../paths/path.ts';
import { floor, input, output } from '../paths/places.ts';
import type { GatewaySetup } from '../world/gateway.ts';

/** The connections of every series: from one Mosquitto to the other, QoS 1, which costs the brokers least. */
export const mqttSetup = (site: Site, routes: Readonly<Record<string, object>>): GatewaySetup => ({
  connections: { floor: floor(site), other: floor(site, 'mosquitto2') },
  routes,
});

/** A route from a topic, or a filter, to the one topic that is listened to. */
export const mqttRoute = (site: Site, topic: string): object => ({
  from: { connection: 'floor', topic, qos: 1 },
  to: { connection: 'other', topic: output(site), qos: 1 },
});

/** From these topics in turn to the one topic. */
export const mqttEnds = (site: Site, topics: readonly string[]): Ends => ({
  source: { kind: 'mqtt', port: site.port('mosquitto'), qos: 1, topics },
  sink: { kind: 'mqtt', port: site.port('mosquitto2'), qos: 1, filter: output(site) },
});

/** So many topics of equal length. */
export const topicsOf = (site: Site, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${input(site)}/${String(index).padStart(6, '0')}`);

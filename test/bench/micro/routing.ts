import { amqpAdapter } from '@magpie/adapter-amqp';
import { mqttAdapter } from '@magpie/adapter-mqtt';
import { type AddressBook, type AnyAdapter, createAddressBook } from '@magpie/contract';
import { type ConnectionInfo, compileRoutes, type RouteSet } from '@magpie/routing';

/** Writes and reads the addresses of both connections. */
export const BOOK: AddressBook = createAddressBook([mqttAdapter, amqpAdapter]);

const connection = (name: string, adapter: AnyAdapter, config: object): readonly [string, ConnectionInfo] => [
  name,
  { name, adapter, config: adapter.connectionSchema.parse(config), subscribe: [] },
];

const CONNECTIONS = new Map([
  connection('floor', mqttAdapter, { url: 'mqtt://127.0.0.1:1883' }),
  connection('erp', amqpAdapter, { url: 'amqp://127.0.0.1:5672' }),
]);

/**
 * Routes by name, as they stand in a configuration, from the MQTT connection `floor` to the AMQP connection `erp`.
 * @throws when the configuration of one is wrong.
 */
export function routeSet(routes: Readonly<Record<string, object>>): RouteSet {
  const compiled = compileRoutes({ routes, connections: CONNECTIONS, gatewayId: 'bench', book: BOOK });
  const [problem] = compiled.problems.filter(({ severity }) => severity === 'error');
  if (problem) throw new Error(`${problem.pointer}: ${problem.message}`);
  return compiled.routes;
}

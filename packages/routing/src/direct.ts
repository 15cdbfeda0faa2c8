import { type Event, type Guarantee, Rejected, type TargetRequest } from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import { z } from 'zod';
import { findPlace } from './address/words.ts';
import { createReport, isRecord } from './report.ts';
import { parseKeys, splitKeys } from './route/keys.ts';
import { partsOf } from './route/parts.ts';
import { retrySchema } from './route/schema.ts';
import { type Connections, findConnection } from './route/source.ts';
import { DIRECT, type Match, type Rendered, type Target } from './types.ts';

/** The built-in route for messages addressed to a connection by name. */
export interface DirectRoute {
  readonly targets: readonly Target[];
  target(consumer: string): Target | undefined;
  /** The one delivery of a direct event. Of a connection that is gone: a delivery that is rejected. */
  match(event: Event): readonly Match[];
  parse(to: Readonly<Record<string, unknown>>): { connection: string; target: TargetRequest };
}

const directKeys = z.strictObject({ connection: z.string() });

/** Direct targets for every connection that sends. */
export function createDirectRoute(connections: Connections, gatewayId: string): DirectRoute {
  const sending = [...connections.values()].filter(({ adapter, config }) => adapter.capabilities(config).sends);
  const targets = new Map(sending.map(({ name }) => [`${DIRECT}/${name}`, createTarget(name, gatewayId)]));
  return {
    targets: [...targets.values()],
    target: (consumer) => targets.get(consumer),
    match: (event) => {
      const name = String(event.origin.connection);
      const target = targets.get(`${DIRECT}/${name}`);
      if (target !== undefined) return [{ target, key: event.key }];
      const error = new Rejected(`there is no connection "${name}" any more to send to`);
      return [{ target: orphan(name, error), key: event.key, error }];
    },
    parse: createDirectParser(connections),
  };
}

const DEFAULTS = {
  route: DIRECT,
  from: DIRECT,
  order: 'key',
  retry: retrySchema.parse({}),
  start: 'now',
  backlog: { bytes: 1024 ** 3, age: 604_800_000, onFull: 'block' },
} as const;

/** Up to the last hop the log is durable; the last hop is as sure as the options of each message. */
const GUARANTEE: Guarantee = {
  level: 'at-least-once',
  reason: 'logged before it is accepted; the last hop is as sure as the options of the message say',
};

const createTarget = (name: string, gatewayId: string): Target => ({
  ...{ ...DEFAULTS, consumer: `${DIRECT}/${name}`, id: name, connection: name, guarantee: GUARANTEE },
  render: (event) => render(event, gatewayId),
});

const orphan = (name: string, error: Rejected): Target => ({
  ...createTarget(name, ''),
  render: () => {
    throw error;
  },
});

/** A direct event is the message itself: its address is the target's, its origin holds the parsed options. */
const render = (event: Event, gatewayId: string): Rendered => ({
  parts: { ...partsOf(event), via: [...event.via, gatewayId] },
  target: { address: event.address, options: event.origin.options },
});

/** Parses a target given without a route: `connection`, words and options. Throws `Rejected` that names what is wrong. */
export const createDirectParser =
  (connections: Connections): DirectRoute['parse'] =>
  (to) =>
    parse(to, connections);

function parse(
  to: Readonly<Record<string, unknown>>,
  connections: Connections,
): { connection: string; target: TargetRequest } {
  const problems: Problem[] = [];
  const parsed = parseTarget(to, connections, problems);
  if (parsed !== undefined && problems.length === 0) return parsed;
  const all = problems.map(({ pointer, message, hint }) => {
    const place = pointer === '' ? '' : `${pointer.slice(1)}: `;
    return place + message + (hint === undefined ? '' : ` (${hint})`);
  });
  throw new Rejected(`"to" is not understood: ${all.join('; ')}`);
}

function parseTarget(
  to: Readonly<Record<string, unknown>>,
  connections: Connections,
  problems: Problem[],
): { connection: string; target: TargetRequest } | undefined {
  const report = createReport(problems);
  if (!isRecord(to)) return void report.error('expected an object with "connection" and the address');
  const connection = findConnection(to.connection, connections, report);
  if (connection === undefined) return undefined;
  const { adapter, config, name } = connection;
  if (!adapter.capabilities(config).sends) return void report.error(`connection "${name}" cannot send`);
  const { native } = splitKeys(to, directKeys, adapter.targetSchema, report);
  const options = parseKeys(adapter.targetSchema, native, report);
  const place = findPlace(adapter, native, report);
  if (options === undefined || place === undefined) return undefined;
  const segments = place.scheme.split(place.words);
  const wrong = place.scheme.check(segments);
  if (wrong !== undefined) return void report.error(`not an address to send to: ${wrong}`);
  return { connection: name, target: { address: { scheme: place.scheme.scheme, segments }, options } };
}

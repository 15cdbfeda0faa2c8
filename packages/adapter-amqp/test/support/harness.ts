import { amqpAdapter } from '@magpie/adapter-amqp';
import type { RabbitmqBroker } from '@magpie/brokers';
import {
  type AdapterContext,
  type Connection,
  type MagpieError,
  nullLogger,
  type ReceivedEvent,
  type SourceRequest,
  systemClock,
  type Verdict,
} from '@magpie/contract';
import { memoryStore } from '@magpie/testkit';
import { connectionSchema } from '../../src/config.ts';
import { outgoing } from './messages.ts';

/** A connection with everything it told its surroundings. */
export interface Harness {
  readonly connection: Connection;
  readonly lost: MagpieError[];
  /** Current details by part. */
  readonly details: Map<string, string>;
  /** The parts that are in trouble. */
  readonly troubled: Set<string>;
  readonly counts: Map<string, number>;
  readonly events: ReceivedEvent[];
  connect(): Promise<void>;
  /** Consumes queues into `events`. */
  receive(...queues: readonly string[]): Promise<void>;
  /** Sends a text with target keys as a user writes them. */
  send(target: Readonly<Record<string, unknown>>, text: string): Promise<string>;
  close(): Promise<void>;
}

export const never = (): AbortSignal => new AbortController().signal;

/** Keys of a connection to a broker, without the login in the url. */
export const keysFor = (broker: RabbitmqBroker, extra: Readonly<Record<string, unknown>> = {}) => ({
  url: `amqp://127.0.0.1:${broker.ports.plain}`,
  username: broker.users[0].name,
  password: broker.users[0].password,
  heartbeat: '1s',
  ...extra,
});

/** Makes a connection; `judge` decides about each received event. */
export function harness(
  keys: Readonly<Record<string, unknown>>,
  judge: (event: ReceivedEvent) => Verdict = () => ({ type: 'stored' }),
): Harness {
  const [lost, events] = [[] as MagpieError[], [] as ReceivedEvent[]];
  const troubled = new Set<string>();
  const [details, counts] = [new Map<string, string>(), new Map<string, number>()];
  const context: AdapterContext = {
    name: 'erp',
    gatewayId: 'plant-a',
    logger: nullLogger,
    clock: systemClock,
    store: memoryStore(),
    lost: (error) => void lost.push(error),
    detail(part, state, trouble) {
      details.delete(part);
      troubled.delete(part);
      if (state === undefined) return;
      details.set(part, state);
      if (trouble) troubled.add(part);
    },
    count: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
  };
  const connection = amqpAdapter.create(connectionSchema.parse(keys), context);
  return {
    connection,
    lost,
    details,
    troubled,
    counts,
    events,
    connect: () => connection.connect(never()),
    receive: (...queues) =>
      connection.receive(queues.map(source), async (batch) => {
        events.push(...batch);
        return batch.map(judge);
      }),
    async send(target, text) {
      const scheme = amqpAdapter.addresses.find(({ scheme: name }) => name in target);
      if (!scheme) throw new Error('no address in the target');
      const segments = scheme.split(
        Object.fromEntries(Object.entries(target).map(([name, word]) => [name, `${word}`])),
      );
      const request = { address: { scheme: scheme.scheme, segments }, options: amqpAdapter.targetSchema.parse(target) };
      return (await connection.send(outgoing({ id: text, body: Buffer.from(text) }), request, never())).confirmedBy;
    },
    close: () => connection.close(AbortSignal.timeout(3000)),
  };
}

const source = (queue: string): SourceRequest => ({
  pattern: { scheme: 'queue', segments: [{ type: 'literal', value: queue }, { type: 'many' }] },
  options: amqpAdapter.sourceSchema.parse({ queue }),
});

export const textOf = ({ body }: ReceivedEvent): string => Buffer.from(body).toString();

import {
  type Connection,
  type MagpieError,
  newRef,
  nullLogger,
  type OutgoingEvent,
  type PatternSegment,
  type ReceivedEvent,
  type Sink,
  type SourceRequest,
  systemClock,
  type TargetRequest,
  type Verdict,
} from '@magpie/contract';
import { memoryStore } from '@magpie/testkit';
import { connectionSchema, sourceSchema } from '../../src/config.ts';
import { mqttAdapter } from '../../src/definition.ts';

/** A connection and everything it reported. */
export interface Client {
  readonly connection: Connection;
  readonly lost: readonly MagpieError[];
  readonly counted: Readonly<Record<string, number>>;
  /** Current details by part. */
  readonly details: ReadonlyMap<string, string>;
}

/** Makes a connection from keys as a user writes them. */
export function client(keys: Record<string, unknown>): Client {
  const lost: MagpieError[] = [];
  const counted: Record<string, number> = {};
  const details = new Map<string, string>();
  const connection = mqttAdapter.create(connectionSchema.parse(keys), {
    name: 'floor',
    gatewayId: 'test',
    logger: nullLogger,
    clock: systemClock,
    store: memoryStore(),
    lost: (error) => lost.push(error),
    detail: (part, state) => void (state === undefined ? details.delete(part) : details.set(part, state)),
    count: (counter, by = 1) => {
      counted[counter] = (counted[counter] ?? 0) + by;
    },
  });
  return { connection, lost, counted, details };
}

/** A signal that never fires. */
export const never: AbortSignal = new AbortController().signal;

export function source(topic: string, options: Record<string, unknown> = {}): SourceRequest {
  const segments = topic.split('/').map((value): PatternSegment => {
    if (value === '+') return { type: 'one' };
    return value === '#' ? { type: 'many' } : { type: 'literal', value };
  });
  return { pattern: { scheme: 'topic', segments }, options: sourceSchema.parse({ topic, ...options }) };
}

export const target = (topic: string, options: Record<string, unknown> = {}): TargetRequest => ({
  address: { scheme: 'topic', segments: topic.split('/') },
  options: { topic, qos: 1, ...options },
});

export const event = (text: string, parts: Partial<OutgoingEvent> = {}): OutgoingEvent => {
  const ref = newRef();
  const body = Buffer.from(text);
  return { id: ref, ref, delivery: ref, body, headers: [], via: [], time: Date.now(), redelivered: false, ...parts };
};

/** A sink that records, and answers as told by the body. */
export function recorder(judge: (text: string) => Verdict = () => ({ type: 'stored' })) {
  const events: ReceivedEvent[] = [];
  const sink: Sink = async (batch) => {
    events.push(...batch);
    return batch.map(({ body }) => judge(Buffer.from(body).toString()));
  };
  return { events, sink, texts: () => events.map(({ body }) => Buffer.from(body).toString()) };
}

import { createMemoryLog, type EventLog, originOf, type Position, type StoredEvent } from '@magpie/bus';
import { type Event, type MagpieError, newRef, type OutgoingEvent, systemClock } from '@magpie/contract';
import type { Match, RetryPolicy, Target } from '@magpie/routing';
import { afterEach } from 'vitest';
import { LinkHealth } from '../../src/connections/link-health.ts';
import type { SendPort } from '../../src/connections/send-port.ts';
import { createSendWindow } from '../../src/connections/send-window.ts';
import { BACKLOG_LIMITS, type BacklogLimits } from '../../src/delivery/backlog/limits.ts';
import { DeliveryQueue } from '../../src/delivery/delivery-queue.ts';
import type { CountWindow } from '../../src/delivery/pacing/count-windows.ts';
import { PACING, pacingByConsumer } from '../../src/delivery/pacing/stored.ts';
import type { Summaries } from '../../src/delivery/pacing/summaries.ts';
import { IntakeHolds } from '../../src/intake/holds.ts';
import { createStateWriter, type StateWriter } from '../../src/log-access/state-writer.ts';
import { createTail } from '../../src/log-access/tail.ts';
import { PASS } from '../../src/loops/trial.ts';
import { type ManualClock, manualClock } from '../fixtures.ts';

export interface Sent {
  readonly event: OutgoingEvent;
  confirm(): void;
  fail(error: MagpieError): void;
  /** Whether it has been answered. */
  isOver(): boolean;
}

/** What a summary said. */
export type SummaryMade = Pick<CountWindow, 'place' | 'count' | 'values'>;

export interface Bench {
  readonly clock: ManualClock;
  readonly log: EventLog;
  readonly writer: StateWriter;
  readonly queue: DeliveryQueue;
  readonly holds: IntakeHolds;
  readonly target: Target;
  readonly port: SendPort;
  readonly health: LinkHealth;
  readonly sent: Sent[];
  /** What became of deliveries, in order. */
  readonly results: string[];
  readonly bodies: () => string[];
  /** Summaries by the id of their window, as the log keeps one of each; shared with the bench after a restart. */
  readonly summaries: Map<string, SummaryMade>;
  up: boolean;
  offer(body: string, key?: string, more?: Partial<Event>): Promise<void>;
}

const benches: Bench[] = [];

export const retry: RetryPolicy = {
  attempts: 3,
  backoff: { min: 100, max: 1000 },
  maxAge: 60_000,
  linkLosses: 3,
  then: 'dead-letter',
};

/** Where a message goes: its header `to`, else one place. */
const placeOf = (headers: Event['headers']): string => String(headers.find(([name]) => name === 'to')?.[1] ?? 'room');

function makeTarget(clock: ManualClock, more: Partial<Target>): Target {
  return {
    consumer: 'alarms/room',
    route: 'alarms',
    id: 'room',
    from: 'floor',
    connection: 'chat',
    order: 'key',
    retry,
    guarantee: { level: 'at-least-once', reason: '' },
    start: 'now',
    backlog: { bytes: 1e9, age: 1e9, onFull: 'block' },
    render: ({ body, headers }) => ({
      parts: { body, headers, via: [], time: clock.now() },
      target: { address: { scheme: 'channel', segments: [placeOf(headers)] }, options: {} },
    }),
    ...more,
  };
}

/** A queue to a scripted link; with `former` on the log of one that has stopped, as after a restart. */
export function bench(
  more: Partial<Target> = {},
  former?: Bench,
  {
    window = 10,
    begin = true,
    sendsWhileHeld = true,
    limits = {},
  }: {
    readonly window?: number;
    readonly begin?: boolean;
    readonly sendsWhileHeld?: boolean;
    readonly limits?: Partial<BacklogLimits>;
  } = {},
): Bench {
  const clock = former?.clock ?? manualClock();
  const log = former?.log ?? createMemoryLog({ clock });
  const fatal = (error: Error): never => {
    throw error;
  };
  const writer = createStateWriter(log, systemClock, fatal);
  const reader = createTail(log);
  const sent: Sent[] = [];
  const health = new LinkHealth(clock);
  health.changed(true);
  const results: string[] = [];
  let routed: Position | undefined;
  const holds = new IntakeHolds();
  const target = makeTarget(clock, more);
  const match = ({ event: { key } }: Pick<StoredEvent, 'event'>): Match => ({ target, key });
  const made: Bench = {
    clock,
    log,
    writer,
    holds,
    health,
    sent,
    results,
    up: true,
    summaries: former?.summaries ?? new Map(),
    bodies: () => sent.map(({ event }) => text(event)),
    target,
    port: undefined!,
    queue: undefined!,
    offer: undefined!,
  };
  const port: SendPort = {
    up: () => made.up,
    window: createSendWindow(window),
    health,
    sendsWhileHeld,
    hasMetadata: true,
    sent: () => undefined,
    post: () => false,
    send: (event) =>
      new Promise((resolve, reject) => {
        let isOver = false;
        const once =
          <T>(end: (value: T) => void) =>
          (value: T) => {
            isOver = true;
            end(value);
          };
        const confirm = once(resolve);
        sent.push({
          event,
          confirm: () => confirm({ confirmedBy: 'test' }),
          fail: once(reject),
          isOver: () => isOver,
        });
      }),
  };
  const summaries: Summaries = {
    put: async (_, { id, place, count, values }, summary) => {
      await writer.flush();
      if (summary) made.summaries.set(id, { place, count, values });
      return true;
    },
  };
  const queue = new DeliveryQueue(target, port, {
    reader,
    writer,
    clock,
    ageOf: log.ageOf,
    limits: { ...BACKLOG_LIMITS, ...limits },
    signal: new AbortController().signal,
    holds,
    routed: () => routed,
    match,
    tracked: () => true,
    ended: () => undefined,
    refused: () => undefined,
    observer: { delivered: (_, result) => void results.push(result) },
    echoGuard: { sent: () => undefined },
    loops: { judge: () => PASS },
    suspended: () => undefined,
    summaries,
    refusals: { placeSuspended: () => undefined, refused: () => undefined },
    onFatal: fatal,
  });
  const offer: Bench['offer'] = async (body, key = 'k', parts = {}) => {
    const event = eventOf(body, key, clock, parts);
    const [appended] = await log.commit({ append: [{ event }] });
    const stored = { position: appended!.position, event };
    reader.push([stored]);
    await ready;
    route(stored);
  };
  /** What the router does with an event. */
  const route = (stored: StoredEvent): void => {
    queue.offer(stored, match(stored), routed);
    routed = stored.position;
    writer.matched(stored.position);
  };
  /** What a gateway does when it starts: goes on at the floor, and routes what was not matched before. */
  const restart = async (): Promise<void> => {
    const { exceptions, floors, matched, waiting } = await log.state();
    const head = log.head();
    routed = matched ?? (head && originOf(head));
    queue.restore(exceptions);
    const { consumer } = queue;
    const pacing = pacingByConsumer(await log.values(PACING)).get(consumer);
    queue.begin(floors.get(consumer), { matched, maybeSentUpTo: head, waiting: waiting.get(consumer), pacing });
    for (const stored of await log.read(routed, 10_000)) route(stored);
  };
  Object.assign(made, { queue, offer, port });
  const ready = former ? restart() : undefined;
  if (!former && begin) queue.begin(undefined);
  benches.push(made);
  return made;
}

export const text = ({ body }: { body: Uint8Array }): string => Buffer.from(body).toString();

const eventOf = (body: string, key: string, clock: ManualClock, parts: Partial<Event>): Event => ({
  ref: newRef(),
  source: 'floor',
  address: { scheme: 'channel', segments: ['a'] },
  kind: 'message',
  key,
  time: clock.now(),
  receivedAt: clock.now(),
  body: Buffer.from(body),
  headers: [],
  via: [],
  origin: {},
  ...parts,
});

afterEach(async () => {
  for (const { writer, log, queue } of benches.splice(0)) {
    queue.stop();
    writer.close();
    await log.close();
  }
});

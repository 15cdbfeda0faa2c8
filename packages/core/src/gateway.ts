import type { EventLog, Position, StoredEvent } from '@magpie/bus';
import {
  type Address,
  type AddressBook,
  type Clock,
  type Event,
  keepRefsAfter,
  type Logger,
  newRef,
  Rejected,
  systemClock,
} from '@magpie/contract';
import { type ConnectionInfo, DIRECT, type Match, type Target } from '@magpie/routing';
import type { SendPort } from './connections/send-port.ts';
import { SUPERVISOR_TIMES, type SupervisorTimes } from './connections/supervisor.ts';
import { createAges } from './delivery/ages.ts';
import type { BacklogLimits } from './delivery/backlog-limits.ts';
import { DeliveryQueue } from './delivery/delivery-queue.ts';
import { createSuspensionLog } from './delivery/suspension-log.ts';
import type { Gateway, Plan } from './gateway-api.ts';
import { receivedFrom } from './intake/direct-message.ts';
import { createEchoGuard } from './intake/echo-guard.ts';
import { IntakeHolds } from './intake/holds.ts';
import { Intake } from './intake/intake.ts';
import { createStateWriter } from './log/state-writer.ts';
import { createTail } from './log/tail.ts';
import type { CoreObserver } from './observer.ts';
import { patternOf } from './pattern.ts';
import { readPage } from './reads/history.ts';
import { messageStatus } from './reads/message-status.ts';
import { Stream } from './reads/subscription.ts';
import { createRegistration } from './registration.ts';
import { createBounces } from './router/bounces.ts';
import { createRouter } from './router/router.ts';
import { drain } from './shutdown.ts';
import { createDeadLetters } from './targets/dead-letters.ts';
import { Topology } from './targets/targets.ts';
import { BestEffortSender } from './unlogged/best-effort-sender.ts';
import { type BypassDeps, withBypass } from './unlogged/sink.ts';

/** Everything a gateway is made of. The composition root provides it; nothing is global. */
export interface GatewayOptions extends Plan {
  readonly id: string;
  readonly version: string;
  readonly log: EventLog;
  readonly book: AddressBook;
  /** Names of connections that have no link of their own (the HTTP API). */
  readonly builtins: ReadonlySet<string>;
  readonly maxBodyBytes: number;
  readonly logger: Logger;
  readonly observer: CoreObserver;
  readonly clock?: Clock;
  readonly times?: Partial<SupervisorTimes>;
  /** Bounds of what is kept in memory of each target; the defaults are for production. */
  readonly limits?: BacklogLimits;
  /** The disk has become too full to append: a good moment for retention. */
  readonly onFull?: () => void;
  /** The log can no longer be trusted, or a bug: the process must end. */
  readonly onFatal: (error: Error) => void;
}

/** The parts of a gateway, wired. */
function wire(options: GatewayOptions) {
  const { log, book, observer, onFatal, logger, maxBodyBytes, clock = systemClock } = options;
  const tail = createTail(log);
  const writer = createStateWriter(log, onFatal);
  const holds = new IntakeHolds();
  const { onFull = () => undefined } = options;
  const onReceived = observer.received;
  const hasRoom = (): boolean => log.space().intake;
  const intake = new Intake({ tail, writer, book, clock, holds, maxBodyBytes, onFatal, onFull, hasRoom, onReceived });
  const confirmWait = new AbortController();
  const echoGuard = createEchoGuard(clock);
  const tracked = ({ source }: Event): boolean => source === DIRECT || options.builtins.has(source);
  const echoOf = ({ source, address, body }: Event, keep = false): readonly string[] =>
    topology.isMute(source) ? echoGuard.returned(source, address, body, keep) : [];
  const onSend = ({ source }: Event, connection: string, address: Address, body: Uint8Array): void => {
    if (topology.isMute(connection)) echoGuard.sent(connection, address, body, source);
  };
  const bypass: BypassDeps = {
    routes: () => topology.routes,
    bestEffort: (consumer) => topology.bestEffort(consumer),
    stamp: (received, source) => intake.stamped(received, source),
    echoOf,
    observer,
  };
  const router = createRouter({
    reader: tail,
    writer,
    routes: () => topology.routes,
    queue: (consumer) => topology.queue(consumer),
    onFatal,
    bounced: (notice) => bounces(notice),
    echoOf,
    stranded: (stored, match) => {
      const letter = strandedLetter(stored, match, clock.now());
      const { consumer, at, message: error } = letter;
      writer.outcome({ ref: stored.event.ref, consumer, state: 'dead', at, attempts: 0, error });
      writer.commit({ deadLetters: { put: [letter] } }).catch(onFatal);
    },
  });
  const ages = createAges(clock);
  const onSuspended = createSuspensionLog({
    logger,
    clock,
    since: (consumer) => topology.queue(consumer)?.load().suspension?.since,
  });
  const makeQueue = (target: Target, port: SendPort): DeliveryQueue =>
    new DeliveryQueue(target, {
      reader: tail,
      limits: options.limits,
      writer,
      clock,
      ages,
      port,
      signal: confirmWait.signal,
      routed: router.position,
      match: ({ position, event }, consumer) =>
        topology
          .routesAt(position, consumer)
          .match(event)
          .find((match) => match.target.consumer === consumer),
      tracked,
      onSend: (event, connection, { address }, body) => onSend(event, connection, address, body),
      onResult: observer.delivered,
      holds,
      onSuspended,
      onFatal,
    });
  const topology: Topology = new Topology(options, {
    gatewayId: options.id,
    builtins: options.builtins,
    clock,
    logger,
    observer: {
      ...observer,
      state: (connection, state) => {
        // What a source sends again after an outage is known by its keys: they age only while it is up, or gone for good.
        log.linked(connection, state === 'up' || state === 'closed');
        observer.state(connection, state);
      },
    },
    times: { ...SUPERVISOR_TIMES, ...options.times },
    sinkFor: (connection) => withBypass(connection, intake.sinkFor(connection), bypass),
    makeQueue,
    makeBestEffort: (target, port) =>
      new BestEffortSender(target, port, { clock, signal: confirmWait.signal, onSend, observer }),
  });
  const bounces = createBounces({ log, writer, topology, clock, observer });
  const deadLetters = createDeadLetters({ log, writer, topology, clock, onFatal });
  const consumers = createRegistration({ log, writer, router, topology, clock, logger });
  return {
    log,
    book,
    clock,
    deadLetters,
    consumers,
    tail,
    writer,
    holds,
    intake,
    confirmWait,
    tracked,
    router,
    topology,
  };
}

/** A delivery to a connection that is configured no more. */
const strandedLetter = ({ position, event }: StoredEvent, { target, error }: Match, at: number) => ({
  id: newRef(),
  at,
  consumer: target.consumer,
  position,
  reason: 'rejected' as const,
  error: 'Rejected',
  message: error?.message ?? `the connection "${target.connection}" does not exist`,
  attempts: [],
  event,
});

/** When a sender should try again while a target it names is full, in ms. */
const HELD_RETRY_MS = 1000;

/** Makes a gateway. No I/O until `start`. */
export function createGateway(options: GatewayOptions): Gateway {
  const parts = wire(options);
  const { log, book, tail, intake, tracked, router, topology } = parts;
  let state: Gateway['state'] = 'starting';
  let draining: Promise<void> | undefined;

  const connectionInfo = (name: string): ConnectionInfo => {
    const info = topology.connections.get(name);
    if (info) return info;
    throw new Rejected(`unknown connection "${name}": expected one of ${[...topology.connections.keys()].join(', ')}`);
  };

  return {
    id: options.id,
    version: options.version,
    book,
    get state() {
      return state;
    },
    start: async () => {
      const [last] = await log.readBack(undefined, 1);
      if (last) keepRefsAfter(last.event);
      await parts.consumers.open();
      topology.start();
      state = 'running';
    },
    drain: (signal) => {
      state = 'draining';
      draining ??= drain({ ...parts, signal }).then(() => {
        state = 'stopped';
      });
      return draining;
    },
    deadLetters: parts.deadLetters,
    reload: async (plan) => {
      const { report, links } = topology.apply(plan, router.position());
      await parts.consumers.change(report.targets.added, report.targets.removed);
      await links;
      return report;
    },
    publish: (source, events, publishOptions) => intake.accept(source, events, publishOptions?.onMismatch),
    direct: async (message) => {
      const { connection, target } = topology.routes.direct(message.to);
      const received = receivedFrom(message, connection, target, book);
      const held = parts.holds.heldBy(`${DIRECT}/${connection}`);
      if (held) return { type: 'unavailable', ...held, retryAfter: HELD_RETRY_MS };
      const [result] = await intake.accept(DIRECT, [received], 'refuse');
      return result!;
    },
    events: (filter, page) => readPage(log, filter, page),
    subscribe: (filter, position, sink) => {
      const from = startOf(position, tail.head());
      return new Stream({ reader: tail, filter, from, sink, oldest: async () => (await log.stats()).oldest });
    },
    parsePosition: (text) => log.parsePosition(text),
    head: () => tail.head(),
    connections: () => topology.supervisors().map((supervisor) => supervisor.status()),
    targets: () =>
      [...topology.queues(), ...topology.bestEffortSenders()].map((each) => ({
        consumer: each.target.consumer,
        connection: each.target.connection,
        ...each.load(),
      })),
    orphans: async () => (await log.orphans()).map(({ orphanedAt: since, ...orphan }) => ({ since, ...orphan })),
    unblock: (consumer, decision) => topology.queue(consumer)?.unblock(decision),
    holds: () => parts.holds.reasons(),
    pattern: (address, connection) =>
      patternOf(address, book, connection === undefined ? undefined : connectionInfo(connection)),
    message: (ref) =>
      messageStatus(ref, { log, topology, routed: router.position, tracked, since: parts.consumers.since }),
  };
}

function startOf(from: Position | 'now' | 'earliest', head: Position | undefined): Position | undefined {
  if (from === 'now') return head;
  return from === 'earliest' ? undefined : from;
}

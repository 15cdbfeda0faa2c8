import type { EventLog } from '@magpie/bus';
import { type AddressBook, type Clock, type Event, type Logger, systemClock } from '@magpie/contract';
import { DIRECT } from '@magpie/routing';
import { Connections } from './connections/connections.ts';
import { SUPERVISOR_TIMES, type SupervisorTimes } from './connections/supervisor.ts';
import type { BacklogLimits } from './delivery/backlog/limits.ts';
import { createSummaries } from './delivery/pacing/summaries.ts';
import { createRefusalLog } from './delivery/suspension/refusal-log.ts';
import { createSuspensionLog } from './delivery/suspension/suspension-log.ts';
import type { Plan } from './gateway-api/index.ts';
import { AwaitedDeliveries } from './intake/awaited-deliveries.ts';
import { createEchoGuard } from './intake/echo-guard.ts';
import { IntakeHolds } from './intake/holds.ts';
import { Intake } from './intake/intake.ts';
import { connectionStores } from './log-access/connection-stores.ts';
import { withDeadLetterLog } from './log-access/dead-letter-log.ts';
import { createStateWriter } from './log-access/state-writer.ts';
import { createTail } from './log-access/tail.ts';
import { createLoopGuard } from './loops/loop-guard.ts';
import type { CoreObserver } from './observer.ts';
import { createRegistration } from './registration.ts';
import { Replies } from './replies/replies.ts';
import { createBounces } from './router/bounces.ts';
import { createRouter, MatchedPosition } from './router/router.ts';
import { createDeadLetters } from './targets/redrive.ts';
import { Targets } from './targets/targets.ts';
import { BestEffortSenders } from './unlogged/best-effort-sender.ts';
import { withBypass } from './unlogged/sink.ts';

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

/**
 * The stages of a gateway, each made of those before it, in the order in which a message flows: connections, intake, log,
 * targets with their delivery queues, router. `connect` closes the circle: what the connections receive enters the intake.
 */
export function createPipeline(options: GatewayOptions) {
  const { log, book, logger, onFatal, builtins, maxBodyBytes, clock = systemClock } = options;
  const observer = withDedupeWindows(options.observer, log);
  const times = { ...SUPERVISOR_TIMES, ...options.times };
  const connections = new Connections(options, {
    ...{ gatewayId: options.id, builtins, clock, logger, observer, times },
  });

  const tail = createTail(log);
  const writer = withDeadLetterLog(createStateWriter(log, clock, onFatal), logger, clock);
  const holds = new IntakeHolds();
  const echoGuard = createEchoGuard(clock);
  const loops = createLoopGuard({ clock, book, logger });
  const { onFull = () => undefined } = options;
  const hasRoom = (): boolean => log.space().intake;
  const onReceived = observer.received;
  const bookOf = (connection: string | undefined): AddressBook =>
    book.forType(connections.configured.get(connection ?? '')?.adapter.type);
  const awaited = new AwaitedDeliveries();
  const intake = new Intake({
    ...{ tail, writer, bookOf, clock, holds, awaited, maxBodyBytes, onFatal, onFull, hasRoom, onReceived },
  });

  const confirmWait = new AbortController();
  const { signal } = confirmWait;
  const matched = new MatchedPosition();
  const refused: Replies['refused'] = (ref, consumer, reason) => replies.refused(ref, consumer, reason);
  const tracked = ({ source }: Event): boolean => source === DIRECT || builtins.has(source);
  const targets = new Targets(options.routes, connections, {
    ...{ reader: tail, writer, holds, clock, observer, signal, echoGuard, loops, tracked, onFatal },
    limits: options.limits,
    summaries: createSummaries({ intake, writer, book, clock, logger }),
    ageOf: log.ageOf,
    suspended: createSuspensionLog({ logger, clock }),
    refusals: createRefusalLog(logger, clock),
    routed: () => matched.get(),
    ended: (ref, isConfirmed) => awaited.ended(ref, isConfirmed),
    refused,
  });
  const deadLetters = createDeadLetters({ log, writer, connections, targets, clock, loops, onFatal });

  const unlogged = new BestEffortSenders(options.routes.unlogged, connections, { clock, signal, echoGuard, observer });

  const replies: Replies = new Replies({
    ...{ log, writer, intake, targets, book, clock, logger, onFatal },
    late: (connection) => connections.count(connection, 'late-reply'),
  });
  const bounces = createBounces({ log, writer, targets, clock, observer, refused });
  const router = createRouter({
    ...{
      reader: tail,
      writer,
      connections,
      targets,
      bounces,
      replies,
      awaited,
      echoGuard,
      loops,
      matched,
      clock,
      onFatal,
    },
    gatewayId: options.id,
  });
  const registration = createRegistration({ log, writer, router, matched, targets, clock, logger });

  const storeFor = connectionStores(log, writer);
  const bypass = { connections, targets, senders: unlogged, intake, echoGuard, observer };
  const connect = (): void =>
    connections.start({
      storeFor,
      sinkFor: (name) => withBypass(name, intake.sinkFor(name), bypass),
      linkChanged: (name) => targets.linkChanged(name),
    });

  return {
    ...{
      log,
      book,
      bookOf,
      clock,
      connections,
      tail,
      writer,
      holds,
      intake,
      confirmWait,
      tracked,
      unlogged,
      matched,
      targets,
    },
    ...{ deadLetters, router, replies, registration, connect, loops },
  };
}

/** What a source sends again after an outage is known by its keys: they age only while it is up, or gone for good. */
function withDedupeWindows(observer: CoreObserver, log: EventLog): CoreObserver {
  return {
    ...observer,
    state: (connection, state) => {
      log.linked(connection, state === 'up' || state === 'closed');
      observer.state(connection, state);
    },
  };
}

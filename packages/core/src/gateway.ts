import { type EventLog, originOf, type Position } from '@magpie/bus';
import {
  type AdapterContext,
  type AddressBook,
  type Clock,
  type Event,
  type Logger,
  Rejected,
  systemClock,
} from '@magpie/contract';
import { type ConnectionInfo, DIRECT, type RouteSet, type Target } from '@magpie/routing';
import { receivedFrom } from './direct.ts';
import { drain } from './drain.ts';
import { readPage } from './history.ts';
import { createIntake } from './intake.ts';
import { createLedger } from './ledger.ts';
import { messageStatus } from './message-status.ts';
import type { CoreObserver } from './observer.ts';
import { Outlet, type SendPort } from './outlet.ts';
import { patternOf } from './pattern.ts';
import { createRouter } from './router.ts';
import { openStream } from './stream.ts';
import { SUPERVISOR_TIMES, Supervisor, type SupervisorTimes } from './supervisor.ts';
import { createTail } from './tail.ts';
import type { Gateway } from './types.ts';
import { createWindow } from './window.ts';

/** Everything a gateway is made of. The composition root provides it; nothing is global. */
export interface GatewayOptions {
  readonly id: string;
  readonly version: string;
  readonly log: EventLog;
  readonly book: AddressBook;
  readonly routes: RouteSet;
  /** All connections, the built-in ones included. */
  readonly connections: ReadonlyMap<string, ConnectionInfo>;
  /** Names of connections that have no link of their own (the HTTP API). */
  readonly builtins: ReadonlySet<string>;
  readonly maxBodyBytes: number;
  readonly logger: Logger;
  readonly observer: CoreObserver;
  readonly clock?: Clock;
  readonly times?: Partial<SupervisorTimes>;
  /** The log can no longer be trusted, or a bug: the process must end. */
  readonly onFatal: (error: Error) => void;
}

/** Makes a gateway. No I/O until `start`. */
export function createGateway(options: GatewayOptions): Gateway {
  const { log, book, routes, observer, onFatal, clock = systemClock } = options;
  const tail = createTail(log);
  const ledger = createLedger(log, onFatal);
  const { maxBodyBytes } = options;
  const onReceived = observer.received;
  const intake = createIntake({ tail, ledger, book, clock, maxBodyBytes, onFatal, onReceived });
  const supervisors = new Map<string, Supervisor>();
  const outlets = new Map<string, Outlet>();
  const patience = new AbortController();
  const outlet = (consumer: string): Outlet | undefined => outlets.get(consumer);
  const router = createRouter({ reader: tail, ledger, routes: () => routes, outlet, onFatal });
  let state: Gateway['state'] = 'starting';
  let draining: Promise<void> | undefined;

  const tracked = ({ source }: Event): boolean => source === DIRECT || options.builtins.has(source);

  const context = (name: string, supervisor: Supervisor): AdapterContext => ({
    name,
    gatewayId: options.id,
    logger: options.logger,
    clock,
    lost: (error) => supervisor.lost(error),
    detail: (part, value) => supervisor.detail(part, value),
    count: (counter, by = 1) => {
      supervisor.count(counter, by);
      observer.adapter(name, counter, by);
    },
  });

  const makeSupervisor = (info: ConnectionInfo): Supervisor =>
    new Supervisor({
      name: info.name,
      type: info.adapter.type,
      clock,
      logger: options.logger,
      times: { ...SUPERVISOR_TIMES, ...options.times },
      sink: async (batch) => {
        supervisors.get(info.name)?.count('received', batch.length);
        return intake.sinkFor(info.name)(batch);
      },
      sources: () => routes.sources(info.name),
      onUp: () => forConnection(info.name, (each) => each.linkUp()),
      onState: (next) => observer.state(info.name, next),
    });

  const forConnection = (name: string, visit: (outlet: Outlet) => void): void => {
    for (const each of outlets.values()) if (each.target.connection === name) visit(each);
  };

  const makePort = (info: ConnectionInfo, supervisor: Supervisor): SendPort => ({
    up: () => supervisor.up(),
    window: createWindow(info.adapter.capabilities(info.config).fifoWindow),
    send: async (event, target, signal) => {
      const receipt = await supervisor.connection!.send(event, target, signal);
      supervisor.count('sent');
      return receipt;
    },
  });

  const makeOutlet = (target: Target, port: SendPort): Outlet =>
    new Outlet(target, {
      reader: tail,
      ledger,
      clock,
      port,
      signal: patience.signal,
      routed: router.position,
      match: (event) => routes.match(event).find((match) => match.target.consumer === target.consumer),
      tracked,
      onResult: observer.delivered,
      onSuspended: (suspended, error) =>
        options.logger.debug({ target: suspended.consumer, error: error.code }, `suspended: ${error.message}`),
      onFatal,
    });

  const build = (): void => {
    const ports = new Map<string, SendPort>();
    for (const info of options.connections.values()) {
      if (options.builtins.has(info.name)) continue;
      const supervisor = makeSupervisor(info);
      supervisors.set(info.name, supervisor);
      ports.set(info.name, makePort(info, supervisor));
    }
    const direct = [...ports.keys()].flatMap((name) => routes.target(`${DIRECT}/${name}`) ?? []);
    for (const target of [...routes.targets, ...direct]) {
      const port = ports.get(target.connection);
      if (port) outlets.set(target.consumer, makeOutlet(target, port));
    }
  };

  /** The router goes on where it was; consumers with a floor of their own go on behind it. */
  const recover = async (): Promise<void> => {
    const { matched, floors, exceptions } = await log.state();
    const head = log.head();
    const rows = Map.groupBy(exceptions, ({ consumer }) => consumer);
    for (const [consumer, own] of rows) outlets.get(consumer)?.restore(own);
    router.start(matched ?? (head && originOf(head)));
    for (const [consumer, floor] of floors) outlets.get(consumer)?.resume(floor);
  };

  const start = async (): Promise<void> => {
    build();
    await recover();
    for (const [name, supervisor] of supervisors) {
      const { adapter, config } = options.connections.get(name)!;
      supervisor.start(adapter.create(config, context(name, supervisor)));
    }
    state = 'running';
  };

  const connectionInfo = (name: string): ConnectionInfo => {
    const info = options.connections.get(name);
    if (info) return info;
    throw new Rejected(`unknown connection "${name}": expected one of ${[...options.connections.keys()].join(', ')}`);
  };

  const startOf = (from: Position | 'now' | 'earliest'): Position | undefined => {
    if (from === 'now') return tail.head();
    return from === 'earliest' ? undefined : from;
  };

  return {
    id: options.id,
    version: options.version,
    book,
    get state() {
      return state;
    },
    start,
    drain: (signal) => {
      state = 'draining';
      draining ??= drain({ supervisors, outlets, intake, router, ledger, patience, clock, signal }).then(() => {
        state = 'stopped';
      });
      return draining;
    },
    publish: (source, events, publishOptions) => intake.accept(source, events, publishOptions?.onMismatch),
    direct: async (message) => {
      const { connection, target } = routes.direct(message.to);
      const received = receivedFrom(message, connection, target, book, clock.now());
      const [result] = await intake.accept(DIRECT, [received], 'refuse');
      return result!;
    },
    events: (filter, page) => readPage(log, filter, page),
    subscribe: (filter, from, sink) =>
      openStream(tail, filter, startOf(from), sink, async () => (await log.stats()).oldest),
    parsePosition: (text) => log.parsePosition(text),
    head: () => tail.head(),
    connections: () => [...supervisors.values()].map((supervisor) => supervisor.status()),
    targets: () =>
      [...outlets.values()].map((each) => ({
        consumer: each.consumer,
        connection: each.target.connection,
        ...each.load(),
      })),
    pattern: (address, connection) =>
      patternOf(address, book, connection === undefined ? undefined : connectionInfo(connection)),
    message: (ref) => messageStatus(ref, { log, routes, outlets, routed: router.position, tracked }),
  };
}

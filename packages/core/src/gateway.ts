import type { Position } from '@magpie/bus';
import { keepRefsAfter, Rejected } from '@magpie/contract';
import { type ConnectionInfo, DIRECT, patternFromText } from '@magpie/routing';
import { planChanges } from './connections/plan-changes.ts';
import type { Gateway, Plan, ReloadReport } from './gateway-api/index.ts';
import { receivedFrom } from './intake/direct-message.ts';
import { createPipeline, type GatewayOptions } from './pipeline.ts';
import { readPage } from './reads/history.ts';
import { messageStatus } from './reads/message-status.ts';
import { Stream } from './reads/subscription.ts';
import { shutDown } from './shutdown.ts';

/** When a sender should try again while a target it names is full, in ms. */
const HELD_RETRY_MS = 1000;

/** Makes a gateway. No I/O until `start`. */
export function createGateway(options: GatewayOptions): Gateway {
  const parts = createPipeline(options);
  const { log, book, bookOf, tail, intake, holds, tracked, matched, connections, targets, unlogged, registration } =
    parts;
  let plan: Plan = options;
  let state: Gateway['state'] = 'starting';
  let draining: Promise<void> | undefined;

  const connectionInfo = (name: string): ConnectionInfo => {
    const info = connections.configured.get(name);
    if (info) return info;
    throw new Rejected(
      `unknown connection "${name}": expected one of ${[...connections.configured.keys()].join(', ')}`,
    );
  };

  return {
    id: options.id,
    version: options.version,
    book,
    bookOf,
    get state() {
      return state;
    },
    start: async () => {
      const [last] = await log.readBack(undefined, 1);
      if (last) keepRefsAfter(last.event);
      await parts.replies.open();
      await registration.open();
      parts.connect();
      state = 'running';
    },
    drain: (signal) => {
      state = 'draining';
      draining ??= shutDown({ ...parts, signal }).then(() => {
        state = 'stopped';
      });
      return draining;
    },
    deadLetters: parts.deadLetters,
    reload: async (wanted): Promise<ReloadReport> => {
      const report = planChanges(plan, wanted, options.builtins);
      plan = wanted;
      parts.loops.reset();
      const links = connections.apply(wanted, report.connections);
      targets.apply(wanted.routes, matched.get());
      unlogged.apply(wanted.routes.unlogged, connections);
      await registration.change(report.targets.added, report.targets.removed);
      await links;
      return report;
    },
    publish: (source, events, publishOptions) => intake.accept(source, events, publishOptions?.onMismatch),
    direct: async (message, permit) => {
      const { connection, target } = targets.routes.direct(message.to);
      permit?.(connection, target.address);
      const received = receivedFrom(message, connection, target, bookOf(connection));
      const held = holds.heldBy(`${DIRECT}/${connection}`);
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
    connections: () => connections.statuses(),
    presence: () => connections.presence(),
    targets: () =>
      [...targets.queues(), ...unlogged.all()].map((each) => ({
        consumer: each.target.consumer,
        connection: each.target.connection,
        ...each.load(),
      })),
    orphans: async () => (await log.orphans()).map(({ orphanedAt: since, ...orphan }) => ({ since, ...orphan })),
    decide: (consumer, selection, decision) => targets.queue(consumer)?.decide(selection, decision),
    holds: () => holds.reasons(),
    loops: () => parts.loops.alarms(),
    pattern: (address, connection) =>
      patternFromText(address, book, connection === undefined ? undefined : connectionInfo(connection)),
    message: (ref) =>
      messageStatus(ref, { log, targets, routed: () => matched.get(), tracked, since: registration.since }),
  };
}

function startOf(from: Position | 'now' | 'earliest', head: Position | undefined): Position | undefined {
  if (from === 'now') return head;
  return from === 'earliest' ? undefined : from;
}

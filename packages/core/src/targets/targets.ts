import type { Position } from '@magpie/bus';
import type { AdapterContext, Clock, Logger, Sink } from '@magpie/contract';
import { type ConnectionInfo, DIRECT, type RouteSet, type Target } from '@magpie/routing';
import { isSameConnection } from '../connections/same-connection.ts';
import type { SendPort } from '../connections/send-port.ts';
import { createSendWindow } from '../connections/send-window.ts';
import { Supervisor, type SupervisorTimes } from '../connections/supervisor.ts';
import type { DeliveryQueue } from '../delivery/delivery-queue.ts';
import type { Plan, ReloadReport } from '../gateway-api.ts';
import type { CoreObserver } from '../observer.ts';
import { type BestEffortSender, BestEffortSenders } from '../unlogged/best-effort-sender.ts';
import { RouteHistory } from './route-history.ts';

export interface TopologyDeps {
  readonly gatewayId: string;
  /** Names of connections that have no link of their own. */
  readonly builtins: ReadonlySet<string>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: CoreObserver;
  readonly times: SupervisorTimes;
  sinkFor(connection: string): Sink;
  makeQueue(target: Target, port: SendPort): DeliveryQueue;
  makeBestEffort(target: Target, port: SendPort): BestEffortSender;
}

/** One connection with everything that hangs on it. */
interface Link {
  readonly info: ConnectionInfo;
  readonly supervisor: Supervisor;
  readonly port: SendPort;
  /** Whether the link carries no metadata. */
  readonly mute: boolean;
  /** Batches of it that are being stored. */
  readonly storing: Set<Promise<unknown>>;
}

/** Time for the goodbyes of a connection that is no longer configured, in ms. */
const GOODBYE_MS = 5000;
/** Part of it for what is in flight. */
const LANDING_MS = 2000;

/** The connections and queues of a gateway, changed by a new plan only where it differs from the old one. */
export class Topology {
  readonly #deps: TopologyDeps;
  readonly #links = new Map<string, Link>();
  readonly #queues = new Map<string, DeliveryQueue>();
  readonly #bestEffort: BestEffortSenders;
  /** Queues of removed targets, for their sends that are still in flight. */
  readonly #retiring = new Map<string, DeliveryQueue>();
  #plan: Plan;
  readonly #history: RouteHistory;
  /** Where removed targets had got to: when they come back they go on there, by the routes of that time. */
  readonly #left = new Map<string, Position>();
  #running = false;

  constructor(plan: Plan, deps: TopologyDeps) {
    this.#plan = plan;
    this.#history = new RouteHistory(plan.routes);
    this.#deps = deps;
    for (const info of this.#linked(plan)) this.#links.set(info.name, this.#makeLink(info));
    for (const target of this.#targets(plan.routes)) {
      const link = this.#links.get(target.connection);
      if (link) this.#addQueue(target, link);
    }
    this.#bestEffort = new BestEffortSenders(deps.makeBestEffort);
    this.#placeBestEffort();
  }

  get routes(): RouteSet {
    return this.#plan.routes;
  }

  /** The routes that have matched, or will match, the event at a place in the log. */
  routesAt(position: Position, consumer?: string): RouteSet {
    return this.#history.at(position, consumer);
  }

  get connections(): ReadonlyMap<string, ConnectionInfo> {
    return this.#plan.connections;
  }

  supervisors(): readonly Supervisor[] {
    return [...this.#links.values()].map(({ supervisor }) => supervisor);
  }

  queues(): readonly DeliveryQueue[] {
    return [...this.#queues.values()];
  }

  queue(consumer: string): DeliveryQueue | undefined {
    return this.#queues.get(consumer);
  }

  bestEffortSenders(): readonly BestEffortSender[] {
    return this.#bestEffort.all();
  }

  bestEffort(consumer: string): BestEffortSender | undefined {
    return this.#bestEffort.get(consumer);
  }

  isUp(connection: string): boolean {
    return this.#links.get(connection)?.supervisor.up() ?? false;
  }

  /** Whether a connection carries no metadata: what it brings does not say which gateways it has passed. */
  isMute(connection: string): boolean {
    return this.#links.get(connection)?.mute ?? false;
  }

  /** Connects everything. */
  start(): void {
    this.#running = true;
    for (const link of this.#links.values()) this.#startLink(link);
  }

  /**
   * Changes to a new plan between two batches of the router. What has not changed is not touched: its link stays up, its
   * deliveries go on. A removed target finishes what is in flight; its backlog stays in the log. New queues wait for
   * `begin`. What is matched up to `routed` keeps its routes. A changed connection says goodbye before it is established anew; `links` resolves when all that is done.
   */
  apply(plan: Plan, routed: Position | undefined): { readonly report: ReloadReport; readonly links: Promise<unknown> } {
    const connections = this.#changes(plan);
    const before = new Set(this.#queues.keys());
    this.#plan = plan;
    const floors = [...this.queues().flatMap((queue) => queue.floor() ?? []), ...this.#left.values()];
    this.#history.change(plan.routes, routed, floors);
    const leaving = new Map(
      [...connections.removed, ...connections.changed].map((name) => [name, this.#removeLink(name)]),
    );
    for (const info of this.#linked(plan)) {
      if (!this.#links.has(info.name)) this.#addLink(info, leaving.get(info.name));
    }
    const targets = joined(this.#replaceQueues(before), this.#placeBestEffort());
    const refreshed = connections.unchanged.map((name) => this.#links.get(name)?.supervisor.refresh());
    return { report: { connections, targets }, links: Promise.all([...leaving.values(), ...refreshed]) };
  }

  /** Resolves when no former queue of these consumers has anything in flight any more. */
  async retired(consumers: readonly string[]): Promise<void> {
    for (const consumer of consumers) {
      const former = this.#retiring.get(consumer);
      while (former && former.load().flying > 0) await new Promise((resolve) => setTimeout(resolve, 10));
      this.#retiring.delete(consumer);
    }
  }

  #linked({ connections }: Plan): readonly ConnectionInfo[] {
    return [...connections.values()].filter(({ name }) => !this.#deps.builtins.has(name));
  }

  #targets(routes: RouteSet): readonly Target[] {
    const direct = [...this.#links.keys()].flatMap((name) => routes.target(`${DIRECT}/${name}`) ?? []);
    return [...routes.targets, ...direct];
  }

  #changes(plan: Plan): ReloadReport['connections'] {
    const wanted = new Map(this.#linked(plan).map((info) => [info.name, info]));
    const had = [...this.#links.keys()];
    const same = (name: string): boolean => isSameConnection(this.#links.get(name)?.info, wanted.get(name));
    return {
      added: [...wanted.keys()].filter((name) => !this.#links.has(name)),
      removed: had.filter((name) => !wanted.has(name)),
      changed: had.filter((name) => wanted.has(name) && !same(name)),
      unchanged: had.filter((name) => wanted.has(name) && same(name)),
    };
  }

  /** Queues of the new routes: those that stay get the new target and link, the others come and go. */
  #replaceQueues(before: ReadonlySet<string>): ReloadReport['targets'] {
    const targets = this.#targets(this.#plan.routes);
    const wanted = new Set(targets.map(({ consumer }) => consumer));
    const removed = [...before].filter((consumer) => !wanted.has(consumer));
    for (const consumer of removed) this.#removeQueue(consumer);
    for (const target of targets) this.#placeQueue(target);
    const added = [...wanted].filter((consumer) => !before.has(consumer));
    return { added, removed, kept: before.size - removed.length };
  }

  #placeBestEffort(): ReloadReport['targets'] {
    return this.#bestEffort.place(this.#plan.routes.unlogged, (connection) => this.#links.get(connection)?.port);
  }

  #placeQueue(target: Target): void {
    const known = this.#queues.get(target.consumer);
    const link = this.#links.get(target.connection);
    if (known && link) known.update(target, link.port);
    else if (link) this.#addQueue(target, link);
  }

  #removeQueue(consumer: string): void {
    const queue = this.#queues.get(consumer);
    this.#queues.delete(consumer);
    if (!queue) return;
    const floor = queue.floor();
    if (floor !== null) this.#left.set(consumer, floor);
    queue.stop();
    this.#retiring.set(consumer, queue);
  }

  #addQueue(target: Target, { port }: Link): void {
    this.#left.delete(target.consumer);
    this.#queues.set(target.consumer, this.#deps.makeQueue(target, port));
  }

  /** `former` resolves when the link of the same name is gone: two at once would fight for one identity. */
  #addLink(info: ConnectionInfo, former: Promise<void> = Promise.resolve()): void {
    const link = this.#makeLink(info);
    this.#links.set(info.name, link);
    void former.then(() => {
      if (this.#running && this.#links.get(info.name) === link) this.#startLink(link);
    });
  }

  async #removeLink(name: string): Promise<void> {
    const link = this.#links.get(name);
    this.#links.delete(name);
    if (!link) return;
    const signal = AbortSignal.timeout(GOODBYE_MS);
    await link.supervisor.quiesce(signal);
    await this.#landed(link);
    await link.supervisor.close(signal);
  }

  /** Gives what is in flight on a link a moment to be confirmed and acknowledged: else it would come or go once more. */
  async #landed({ port, storing }: Link): Promise<void> {
    const { clock } = this.#deps;
    const deadline = clock.monotonic() + LANDING_MS;
    while ((port.window.used() > 0 || storing.size > 0) && port.up() && clock.monotonic() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  #startLink({ info, supervisor }: Link): void {
    supervisor.start(info.adapter.create(info.config, this.#context(info.name, supervisor)));
  }

  #makeLink(info: ConnectionInfo): Link {
    const { clock, logger, observer, times, sinkFor } = this.#deps;
    const { name, adapter } = info;
    const sink = sinkFor(name);
    const storing = new Set<Promise<unknown>>();
    const supervisor: Supervisor = new Supervisor({
      name,
      type: adapter.type,
      clock,
      logger,
      times,
      sink: (batch) => {
        supervisor.count('received', batch.length);
        const verdicts = sink(batch);
        storing.add(verdicts);
        return verdicts.finally(() => storing.delete(verdicts));
      },
      sources: () => this.#plan.routes.sources(name),
      onUp: () => {
        for (const queue of this.#queues.values()) if (queue.target.connection === name) queue.linkUp();
      },
      onState: (state) => observer.state(name, state),
    });
    const mute = !adapter.capabilities(info.config).metadata;
    return { info, supervisor, port: makePort(info, supervisor), mute, storing };
  }

  #context(name: string, supervisor: Supervisor): AdapterContext {
    const { gatewayId, logger, clock, observer } = this.#deps;
    return {
      name,
      gatewayId,
      logger: logger.child({ connection: name }),
      clock,
      lost: (error) => supervisor.lost(error),
      detail: (part, value) => supervisor.detail(part, value),
      count: (counter, by = 1) => {
        supervisor.count(counter, by);
        observer.adapter(name, counter, by);
      },
    };
  }
}

/** Two reports about different targets as one. */
const joined = (a: ReloadReport['targets'], b: ReloadReport['targets']): ReloadReport['targets'] => ({
  added: [...a.added, ...b.added],
  removed: [...a.removed, ...b.removed],
  kept: a.kept + b.kept,
});

function makePort({ adapter, config }: ConnectionInfo, supervisor: Supervisor): SendPort {
  const { fifoWindow, sendsWhileHeld } = adapter.capabilities(config);
  return {
    up: () => supervisor.up(),
    ...{ window: createSendWindow(fifoWindow), sendsWhileHeld },
    sent: () => supervisor.count('sent'),
    send: (event, target, signal) => supervisor.connection!.send(event, target, signal),
    post: (event, target) => supervisor.connection?.post?.(event, target) ?? false,
  };
}

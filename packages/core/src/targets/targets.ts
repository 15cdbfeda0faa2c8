import type { Position, StoredEvent } from '@magpie/bus';
import type { Match, RouteSet, Target } from '@magpie/routing';
import type { Connections } from '../connections/connections.ts';
import { targetsOf } from '../connections/plan-changes.ts';
import type { SendPort } from '../connections/send-port.ts';
import { DeliveryQueue, type QueueDeps } from '../delivery/delivery-queue.ts';
import { RouteHistory } from './route-history.ts';

/** What the delivery queues need of the gateway, but for what the targets know themselves. */
export type TargetsDeps = Omit<QueueDeps, 'match'>;

/** The routes in force, and a delivery queue per target; changed by a reload only where they differ. */
export class Targets {
  readonly #connections: Connections;
  readonly #queueDeps: QueueDeps;
  readonly #queues = new Map<string, DeliveryQueue>();
  /** Queues of removed targets, for their sends that are still in flight. */
  readonly #retiring = new Map<string, DeliveryQueue>();
  readonly #history = new RouteHistory();
  #routes: RouteSet;
  /** Floors of removed targets: when they come back they continue there, by the routes of that time. */
  readonly #left = new Map<string, Position>();

  constructor(routes: RouteSet, connections: Connections, deps: TargetsDeps) {
    this.#connections = connections;
    this.#routes = routes;
    this.#queueDeps = { ...deps, match: (stored, consumer) => this.#matchAt(stored, consumer) };
    this.#place(routes);
  }

  get routes(): RouteSet {
    return this.#routes;
  }

  /** The routes that have matched, or will match, the event at a place in the log. */
  routesAt(position: Position): RouteSet {
    return this.#history.at(position) ?? this.#routes;
  }

  queues(): readonly DeliveryQueue[] {
    return [...this.#queues.values()];
  }

  queue(consumer: string): DeliveryQueue | undefined {
    return this.#queues.get(consumer);
  }

  /** The link of a connection came up or went down. */
  linkChanged(connection: string): void {
    for (const queue of this.#queues.values()) if (queue.target.connection === connection) queue.linkChanged();
  }

  /**
   * Changes to new routes between two batches of the router, after the connections have changed. What is matched up to
   * `routed` keeps its routes. A removed target finishes what is in flight; its backlog stays in the log. New queues wait for
   * `begin`.
   */
  apply(routes: RouteSet, routed: Position | undefined): void {
    const floors = [...this.queues().flatMap((queue) => queue.floor() ?? []), ...this.#left.values()];
    this.#history.add(this.#routes, routed, floors);
    this.#routes = routes;
    this.#place(routes);
  }

  /** Resolves when the removed queues of these consumers have nothing in flight. */
  async retired(consumers: readonly string[]): Promise<void> {
    for (const consumer of consumers) {
      await this.#retiring.get(consumer)?.landed();
      this.#retiring.delete(consumer);
    }
  }

  /** Queues of the routes in force: those that stay get the new target and link, the others come and go. */
  #place(routes: RouteSet): void {
    const targets = targetsOf(routes, this.#connections.linked);
    const wanted = new Set(targets.map(({ consumer }) => consumer));
    for (const queue of this.queues()) if (!wanted.has(queue.consumer)) this.#remove(queue);
    for (const target of targets) {
      const port = this.#connections.port(target.connection);
      if (port) this.#put(target, port);
    }
  }

  #put(target: Target, port: SendPort): void {
    const known = this.#queues.get(target.consumer);
    if (known) return void known.update(target, port);
    this.#left.delete(target.consumer);
    this.#queues.set(target.consumer, new DeliveryQueue(target, port, this.#queueDeps));
  }

  #remove(queue: DeliveryQueue): void {
    const { consumer } = queue;
    this.#queues.delete(consumer);
    const floor = queue.floor();
    if (floor !== null) this.#left.set(consumer, floor);
    queue.stop();
    this.#retiring.set(consumer, queue);
  }

  /** The match of a target for an event read back from the log, by the routes in force when the router matched it. */
  #matchAt({ position, event }: StoredEvent, consumer: string): Match | undefined {
    const routes = this.#history.at(position, consumer) ?? this.#routes;
    const matches = routes.match(event);
    return matches.find(({ target }) => target.consumer === consumer);
  }
}

import {
  type AdapterContext,
  type Clock,
  type ConnectionStore,
  deadline,
  type Logger,
  type OutgoingEvent,
  type PresenceEntry,
  type Sink,
  sleep,
  TooLarge,
} from '@magpie/contract';
import type { ConnectionInfo } from '@magpie/routing';
import type { ConnectionStatus, Plan, ReloadReport } from '../gateway-api/index.ts';
import type { CoreObserver } from '../observer.ts';
import { LinkHealth } from './link-health.ts';
import { linked } from './plan-changes.ts';
import type { SendPort } from './send-port.ts';
import { createSendWindow } from './send-window.ts';
import { Supervisor, type SupervisorTimes } from './supervisor.ts';

export interface ConnectionsDeps {
  readonly gatewayId: string;
  /** Names of connections that have no link of their own. */
  readonly builtins: ReadonlySet<string>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: CoreObserver;
  readonly times: SupervisorTimes;
}

/** What the later stages give the connections when they start. */
export interface ConnectionsUse {
  /** Where a connection puts what it receives. Called once per link. */
  sinkFor(connection: string): Sink;
  /** What a connection keeps beyond the process. Called once per link. */
  storeFor(connection: string): ConnectionStore;
  /** The link of a connection came up or went down. */
  linkChanged(connection: string): void;
}

/** One connection with its supervisor. */
interface Link {
  readonly info: ConnectionInfo;
  readonly supervisor: Supervisor;
  readonly port: SendPort;
  /** Batches of it that are being stored. */
  readonly storing: Set<Promise<unknown>>;
}

/** Time for the goodbyes of a connection that is no longer configured, in ms. */
const GOODBYE_MS = 5000;
/** Part of it for what is in flight. */
const LANDING_MS = 2000;

/** The links of a gateway and their supervisors, changed by a new plan only where it differs. Knows no target. */
export class Connections {
  readonly #deps: ConnectionsDeps;
  readonly #links = new Map<string, Link>();
  #plan: Plan;
  #use: ConnectionsUse | undefined;

  constructor(plan: Plan, deps: ConnectionsDeps) {
    this.#plan = plan;
    this.#deps = deps;
    for (const info of linked(plan, deps.builtins).values()) this.#links.set(info.name, this.#makeLink(info));
  }

  /** All configured connections, the built-in ones included. */
  get configured(): ReadonlyMap<string, ConnectionInfo> {
    return this.#plan.connections;
  }

  /** Names of those that have a link. */
  get linked(): ReadonlyMap<string, unknown> {
    return this.#links;
  }

  /** The link of a connection as targets use it; undefined for one that is not configured or has no link. */
  port(name: string): SendPort | undefined {
    return this.#links.get(name)?.port;
  }

  isUp(name: string): boolean {
    return this.#links.get(name)?.supervisor.up() ?? false;
  }

  statuses(): readonly ConnectionStatus[] {
    return [...this.#links.values()].map(({ supervisor }) => supervisor.status());
  }

  /** Who and what is there at the moment, by connection. */
  *presence(): Generator<readonly [connection: string, entry: PresenceEntry]> {
    for (const [name, { supervisor }] of this.#links)
      for (const entry of supervisor.connection?.presence?.() ?? []) yield [name, entry];
  }

  /** Counts something about a connection, for metrics and its status. */
  count(name: string, counter: string): void {
    this.#links.get(name)?.supervisor.count(counter);
    this.#deps.observer.adapter(name, counter, 1);
  }

  /** Connects everything. */
  start(use: ConnectionsUse): void {
    this.#use = use;
    for (const link of this.#links.values()) this.#startLink(link, use);
  }

  /**
   * Changes to a new plan. What has not changed keeps its link. A changed connection says goodbye before it is established
   * anew; the result resolves when all that is done.
   */
  async apply(plan: Plan, { added, removed, changed, unchanged }: ReloadReport['connections']): Promise<void> {
    this.#plan = plan;
    const leaving = new Map([...removed, ...changed].map((name) => [name, this.#removeLink(name)]));
    for (const name of [...changed, ...added]) {
      const info = plan.connections.get(name);
      if (info) this.#addLink(info, leaving.get(name));
    }
    const refreshed = unchanged.map((name) => this.#links.get(name)?.supervisor.refresh());
    await Promise.all([...leaving.values(), ...refreshed]);
  }

  /** First step of a shutdown: nothing more is taken in. */
  async quiesce(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#links.values()].map(({ supervisor }) => supervisor.quiesce(signal)));
  }

  /** Last step of a shutdown: goodbyes. */
  async close(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#links.values()].map(({ supervisor }) => supervisor.close(signal)));
  }

  /** `former` resolves when the link of the same name is gone: two at once would fight for one identity. */
  #addLink(info: ConnectionInfo, former: Promise<void> = Promise.resolve()): void {
    const link = this.#makeLink(info);
    this.#links.set(info.name, link);
    void former.then(() => {
      if (this.#use && this.#links.get(info.name) === link) this.#startLink(link, this.#use);
    });
  }

  async #removeLink(name: string): Promise<void> {
    const link = this.#links.get(name);
    this.#links.delete(name);
    if (!link) return;
    const { clock } = this.#deps;
    const { signal, cancel } = deadline(clock, GOODBYE_MS);
    await link.supervisor.quiesce(signal);
    // What is in flight gets a moment to be confirmed and acknowledged: else it would come or go once more.
    if (link.port.up()) await Promise.race([landed(link), sleep(clock, LANDING_MS)]);
    await link.supervisor.close(signal);
    cancel();
  }

  #startLink({ info, supervisor, storing }: Link, { sinkFor, storeFor }: ConnectionsUse): void {
    const { name, adapter, config } = info;
    const sink = sinkFor(name);
    const counted: Sink = (batch, place) => {
      supervisor.count('received', batch.length);
      const verdicts = sink(batch, place);
      storing.add(verdicts);
      return verdicts.finally(() => storing.delete(verdicts));
    };
    supervisor.start(adapter.create(config, this.#context(name, supervisor, storeFor(name))), counted);
  }

  #makeLink(info: ConnectionInfo): Link {
    const { clock, logger, observer, times } = this.#deps;
    const { name, adapter } = info;
    const health = new LinkHealth(clock);
    const supervisor = new Supervisor({
      ...{ name, type: adapter.type, clock, logger, times },
      sources: () => this.#plan.routes.sources(name),
      onState: (state, from) => {
        observer.state(name, state);
        if (state !== 'up' && from !== 'up') return;
        health.changed(state === 'up');
        this.#use?.linkChanged(name);
      },
    });
    return { info, supervisor, port: makePort(info, supervisor, health), storing: new Set() };
  }

  #context(name: string, supervisor: Supervisor, store: ConnectionStore): AdapterContext {
    const { gatewayId, logger, clock, observer } = this.#deps;
    return {
      ...{ name, gatewayId, clock, store },
      logger: logger.child({ connection: name }),
      lost: (error) => supervisor.lost(error),
      detail: (...detail) => supervisor.detail(...detail),
      count: (counter, by = 1) => {
        supervisor.count(counter, by);
        observer.adapter(name, counter, by);
      },
    };
  }
}

const landed = ({ port, storing }: Link): Promise<unknown> =>
  Promise.all([port.window.idle(), Promise.allSettled(storing)]);

function makePort({ name, adapter, config }: ConnectionInfo, supervisor: Supervisor, health: LinkHealth): SendPort {
  const { fifoWindow, sendsWhileHeld, metadata, maxBodyBytes } = adapter.capabilities(config);
  const fits = ({ body }: OutgoingEvent): boolean => body.byteLength <= maxBodyBytes;
  const tooLarge = ({ body }: OutgoingEvent): TooLarge =>
    new TooLarge(
      `a body of ${body.byteLength} bytes: connection "${name}" sends at most ${maxBodyBytes}; raise its limit, or send less`,
    );
  return {
    ...{ window: createSendWindow(fifoWindow), health, sendsWhileHeld, hasMetadata: metadata },
    up: supervisor.up,
    sent: () => supervisor.count('sent'),
    send: (event, target, signal) =>
      fits(event) ? supervisor.connection!.send(event, target, signal) : Promise.reject(tooLarge(event)),
    post: (event, target) => (fits(event) && supervisor.connection?.post?.(event, target)) ?? false,
  };
}

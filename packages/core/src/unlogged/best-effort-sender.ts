import type { Clock, Event, OutgoingEvent } from '@magpie/contract';
import type { Match, Target } from '@magpie/routing';
import type { Connections } from '../connections/connections.ts';
import type { SendPort } from '../connections/send-port.ts';
import { outgoing } from '../delivery/attempt.ts';
import type { TargetLoad } from '../gateway-api/index.ts';
import type { EchoGuard } from '../intake/echo-guard.ts';
import type { CoreObserver } from '../observer.ts';

/** What a best-effort sender needs besides its target and its link. */
export interface BestEffortDeps {
  readonly clock: Clock;
  /** Fires when the gateway waits for nothing more. */
  readonly signal: AbortSignal;
  readonly echoGuard: Pick<EchoGuard, 'sent'>;
  readonly observer: Pick<CoreObserver, 'delivered'>;
}

type Rendered = ReturnType<Target['render']>;

/** Most events that wait for room on the link of one target; what comes in beyond is dropped and counted. */
const MOST_WAITING = 1000;

/** At most once, past the log: sends to one target at once and in order while the link has room, never a second time. */
export class BestEffortSender {
  #target: Target;
  #port: SendPort;
  readonly #deps: BestEffortDeps;
  #waiting: Event[] = [];
  #flying = 0;
  #stopped = false;

  constructor(target: Target, port: SendPort, deps: BestEffortDeps) {
    this.#target = target;
    this.#port = port;
    this.#deps = deps;
  }

  get target(): Target {
    return this.#target;
  }

  /** A reload changed the route or the link. */
  update(target: Target, port: SendPort): void {
    this.#target = target;
    this.#port = port;
  }

  /** Takes a delivery; called per matched event. */
  offer(event: Event, { error }: Match): void {
    if (error) this.#end('refused');
    else if (this.#stopped || !this.#port.up() || this.#waiting.length >= MOST_WAITING) this.#end('dropped');
    else if (this.#waiting.length === 0 && this.#flying === 0) this.#pass(event);
    else {
      this.#waiting.push(event);
      this.#pump();
    }
  }

  load(): Omit<TargetLoad, 'consumer' | 'connection'> {
    const none = { held: 0, blocked: 0, lagging: false, suspended: false, places: [] };
    return { waiting: this.#waiting.length, flying: this.#flying, ...none };
  }

  /** Takes nothing more and drops what waits. */
  stop(): void {
    this.#stopped = true;
    this.#drop();
  }

  /** Nothing is before it: handed over at once where nobody need wait for it, else sent. */
  #pass(event: Event): void {
    const port = this.#port;
    const rendered = this.#render(event);
    if (!rendered) return;
    const message = outgoing({ event, redelivered: false }, rendered, this.#target);
    if (port.post(message, rendered.target)) {
      port.sent();
      this.#note(event, rendered);
      this.#end('confirmed');
    } else if (port.window.acquire(this.#pump)) this.#send(event, rendered, message, port);
    else this.#waiting.push(event);
  }

  readonly #pump = (): void => {
    const port = this.#port;
    if (!port.up()) this.#drop();
    let sent = 0;
    while (sent < this.#waiting.length && port.window.acquire(this.#pump)) {
      const event = this.#waiting[sent++]!;
      const rendered = this.#render(event);
      if (!rendered) port.window.release();
      else {
        const message = outgoing({ event, redelivered: false }, rendered, this.#target);
        this.#send(event, rendered, message, port);
      }
    }
    if (sent > 0) this.#waiting = sent === this.#waiting.length ? [] : this.#waiting.slice(sent);
  };

  #send(event: Event, rendered: Rendered, message: OutgoingEvent, port: SendPort): void {
    const { clock, signal } = this.#deps;
    const started = clock.monotonic();
    const land = (result: 'confirmed' | 'refused'): void => {
      this.#flying--;
      port.window.release();
      this.#end(result, clock.monotonic() - started);
    };
    this.#flying++;
    this.#note(event, rendered);
    port.send(message, rendered.target, signal).then(
      () => {
        port.sent();
        land('confirmed');
      },
      () => land('refused'),
    );
  }

  #note({ source }: Event, { target, parts }: Rendered): void {
    if (this.#port.hasMetadata) return;
    this.#deps.echoGuard.sent(this.#target.connection, target.address, parts.body, source);
  }

  #render(event: Event): Rendered | undefined {
    if (event.expiresAt !== undefined && event.expiresAt <= this.#deps.clock.now()) {
      this.#end('expired');
      return undefined;
    }
    try {
      return this.#target.render(event);
    } catch {
      this.#end('refused');
      return undefined;
    }
  }

  #drop(): void {
    for (const _ of this.#waiting.splice(0)) this.#end('dropped');
  }

  #end(result: 'confirmed' | 'refused' | 'dropped' | 'expired', ms?: number): void {
    this.#deps.observer.delivered(this.#target, result, ms);
  }
}

/** All targets that are fed past the log, by consumer name. */
export class BestEffortSenders {
  readonly #deps: BestEffortDeps;
  readonly #all = new Map<string, BestEffortSender>();

  constructor(targets: readonly Target[], connections: Pick<Connections, 'port'>, deps: BestEffortDeps) {
    this.#deps = deps;
    this.apply(targets, connections);
  }

  all(): readonly BestEffortSender[] {
    return [...this.#all.values()];
  }

  get(consumer: string): BestEffortSender | undefined {
    return this.#all.get(consumer);
  }

  /** Changes to these targets; those without a link are left out. Called per reload. */
  apply(targets: readonly Target[], connections: Pick<Connections, 'port'>): void {
    const wanted = new Set<string>();
    for (const target of targets) {
      const port = connections.port(target.connection);
      if (!port) continue;
      wanted.add(target.consumer);
      const known = this.#all.get(target.consumer);
      if (known) known.update(target, port);
      else this.#all.set(target.consumer, new BestEffortSender(target, port, this.#deps));
    }
    for (const [consumer, sender] of this.#all) {
      if (wanted.has(consumer)) continue;
      sender.stop();
      this.#all.delete(consumer);
    }
  }
}

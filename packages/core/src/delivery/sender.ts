import type { EventLog } from '@magpie/bus';
import { type Clock, type MagpieError, type SendReceipt, toMagpieError } from '@magpie/contract';
import type { Rendered } from '@magpie/routing';
import type { SendPort } from '../connections/send-port.ts';
import type { EchoGuard } from '../intake/echo-guard.ts';
import type { LoopGuard } from '../loops/loop-guard.ts';
import { type Attempt, type Ending, LOOPED, prepare } from './attempt.ts';
import type { Backlog } from './backlog/backlog.ts';
import type { Delivery } from './delivery.ts';
import type { Lanes } from './lanes.ts';
import type { PacingVerdict, TargetPacing } from './pacing/pacing.ts';
import type { Retries } from './retries.ts';
import type { Settlement } from './settlement.ts';
import type { CircuitBreaker } from './suspension/circuit-breaker.ts';
import type { Places } from './suspension/places.ts';
import type { RefusalLog } from './suspension/refusal-log.ts';
import type { SendTerms, Suspects } from './suspension/suspects.ts';
import type { SuspensionLog } from './suspension/suspension-log.ts';
import type { TargetInForce } from './target-in-force.ts';
import type { WakeUp } from './wake-up.ts';

export interface SenderDeps {
  readonly clock: Clock;
  readonly ageOf: EventLog['ageOf'];
  /** Fires when waiting for confirmations is over (end of a drain). */
  readonly signal: AbortSignal;
  readonly echoGuard: Pick<EchoGuard, 'sent'>;
  readonly loops: Pick<LoopGuard, 'judge'>;
  readonly suspended: SuspensionLog;
  readonly refusals: RefusalLog;
  onFatal(error: Error): void;
}

/** Of a delivery that is not suspected. */
const AT_ONCE: SendTerms = { alone: false, wait: 0 };

/** The parts of a delivery queue that a sender works with. */
interface Parts {
  readonly backlog: Backlog;
  readonly lanes: Lanes;
  readonly breaker: CircuitBreaker;
  readonly settlement: Settlement;
  readonly retries: Retries;
  readonly places: Places;
  readonly pacing: TargetPacing;
  readonly suspects: Suspects;
}

/** A delivery that goes out, and what must be durable before. */
interface Prepared extends Attempt {
  readonly durable: Promise<unknown> | undefined;
}

/** A send that did not end well. */
interface Sent {
  readonly rendered: Rendered;
  readonly port: SendPort;
  /** Whether nothing else was in flight on the link. */
  readonly alone: boolean;
  /** From the send to its end, in ms. */
  readonly lastedMs: number;
}

/** Sends the deliveries of one target as its lanes, its circuit breaker and the window of the link allow, and judges the answers. */
export class Sender {
  readonly #inForce: TargetInForce;
  readonly #parts: Parts;
  readonly #wake: WakeUp;
  readonly #deps: SenderDeps;
  #flying = 0;
  #landed: (() => void)[] = [];

  constructor(inForce: TargetInForce, parts: Parts, wake: WakeUp, deps: SenderDeps) {
    this.#inForce = inForce;
    this.#parts = parts;
    this.#wake = wake;
    this.#deps = deps;
  }

  /** Sends in flight. */
  get flying(): number {
    return this.#flying;
  }

  /** Sends what may be sent. */
  pump(): void {
    const { port } = this.#inForce;
    const { backlog, lanes, breaker, pacing, suspects } = this.#parts;
    if (!port.up() || pacing.pauses()) return;
    for (;;) {
      const admission = breaker.admission(this.#flying);
      if (admission === 'wait') return;
      if (admission === 'probe') lanes.requeue(backlog.pending(), (ready) => breaker.prober(ready));
      const delivery = lanes.next(this.#held);
      if (!delivery) return;
      const { suspicion } = delivery;
      const { wait, alone } = suspicion ? suspects.terms(suspicion) : AT_ONCE;
      if (wait > 0) {
        lanes.launch(delivery, false);
        suspects.defer(delivery, wait);
      } else if (port.window.acquire(this.#wake.call, alone)) this.#dispatch(delivery, port, alone);
      else return;
    }
  }

  /** Resolves when nothing is in flight. */
  async landed(): Promise<void> {
    while (this.#flying > 0) await new Promise<void>((resolve) => this.#landed.push(resolve));
  }

  readonly #held = (delivery: Delivery): void => {
    const { places, settlement } = this.#parts;
    if (!places.overflows(delivery) && !delivery.remembered) settlement.remember(delivery);
  };

  #dispatch(delivery: Delivery, port: SendPort, alone: boolean): void {
    const { signal, clock, echoGuard, onFatal } = this.#deps;
    const { target } = this.#inForce;
    const prepared = this.#prepared(delivery);
    if (!prepared) {
      port.window.release();
      return;
    }
    const { rendered, message, durable } = prepared;
    this.#flying++;
    if (!port.hasMetadata)
      echoGuard.sent(target.connection, rendered.target.address, rendered.parts.body, delivery.event.source);
    const started = clock.monotonic();
    const send = (): Promise<SendReceipt> => port.send(message, rendered.target, signal);
    (durable === undefined ? send() : durable.then(send)).then(
      (receipt) => {
        try {
          port.sent();
          this.#land(delivery);
          this.#confirmed(delivery, rendered, receipt, clock.monotonic() - started);
          this.#makeRoom(port);
        } catch (error) {
          onFatal(toMagpieError(error));
        }
      },
      (error: unknown) => {
        this.#land(delivery);
        const sent = { rendered, port, alone, lastedMs: clock.monotonic() - started };
        this.#refused(delivery, sent, toMagpieError(error)).catch(onFatal);
        this.#makeRoom(port);
      },
    );
  }

  /** What to send, in flight from now on; undefined when the delivery has ended or is held. */
  #prepared(delivery: Delivery): Prepared | undefined {
    const { lanes, places, pacing, suspects } = this.#parts;
    const attempt = prepare(delivery, this.#inForce.target, this.#deps);
    if ('reason' in attempt) {
      lanes.launch(delivery, false);
      this.#end(delivery, attempt);
      return undefined;
    }
    const { rendered } = attempt;
    const isHeld = places.holds(rendered.target.address);
    const loop = isHeld ? undefined : this.#deps.loops.judge(delivery.event);
    const pace = loop?.type === 'pass' ? pacing.judge(delivery, rendered) : undefined;
    lanes.launch(delivery, pace?.type === 'pass');
    if (isHeld) places.hold(delivery, rendered.target.address);
    else if (pace?.type === 'pass') return { ...attempt, durable: pace.durable };
    else {
      places.probeLost(rendered);
      if (pace !== undefined) this.#withhold(delivery, pace);
      else if (loop?.type === 'wait') suspects.defer(delivery, loop.ms);
      else this.#end(delivery, LOOPED);
    }
    return undefined;
  }

  /** The pacing of the target does not let a delivery out. */
  #withhold(delivery: Delivery, verdict: Exclude<PacingVerdict, { type: 'pass' }>): void {
    const { places, settlement } = this.#parts;
    if (verdict.type === 'hold') places.setAside(delivery, verdict.ms);
    else if (verdict.type === 'reject') this.#end(delivery, { reason: 'rejected', error: verdict.error });
    else settlement.withhold(delivery, verdict);
  }

  /** A delivery ends without being sent. */
  #end(delivery: Delivery, ending: Ending): void {
    const { settlement, retries } = this.#parts;
    if (ending.reason === 'expired') settlement.end(delivery, { state: 'expired' });
    else if (ending.reason !== 'loop' && this.#inForce.target.retry.then === 'block' && !delivery.error)
      retries.block(delivery, ending.error);
    else void settlement.giveUp(delivery, ending.reason, ending.error);
  }

  #land(delivery: Delivery): void {
    this.#flying--;
    this.#parts.lanes.landed(delivery);
    if (this.#flying === 0) for (const resolve of this.#landed.splice(0)) resolve();
  }

  /** Gives the place in the window back: only after the outcome has been judged, for it lets others (and us) send. */
  #makeRoom({ window }: SendPort): void {
    window.release();
    this.#wake.call();
  }

  #confirmed(delivery: Delivery, rendered: Rendered, { confirmedBy }: SendReceipt, ms: number): void {
    const { breaker, places, settlement, suspects } = this.#parts;
    breaker.confirmed();
    places.answered(delivery, rendered);
    suspects.clear(delivery);
    settlement.end(delivery, { state: 'confirmed', confirmedBy }, ms);
  }

  async #refused(delivery: Delivery, sent: Sent, error: MagpieError): Promise<void> {
    const { breaker, lanes, places, retries, suspects } = this.#parts;
    const { rendered, port, alone, lastedMs } = sent;
    const isLost = error.name === 'Unknown';
    delivery.redelivered ||= isLost || error.name === 'Aborted';
    if (isLost && error.concerns === 'link') port.health.sendLost();
    else if (error.concerns !== 'link') suspects.clear(delivery);
    if (error.suspendsPlace) {
      breaker.answered();
      places.refused(delivery, rendered, error);
    } else if (error.suspends || (error.retryable && breaker.isOutage(delivery.lane))) {
      delivery.state = 'ready';
      places.probeLost(rendered);
      breaker.suspend(error);
      this.#deps.suspended(this.#inForce.target, error, breaker.status?.since);
      if (isLost) await suspects.linkLost(delivery, alone, lastedMs, rendered, error);
    } else {
      breaker.answered();
      places.answered(delivery, rendered);
      await retries.refused(delivery, rendered, error);
    }
    lanes.retry(delivery.lane);
    this.#wake.call();
  }
}

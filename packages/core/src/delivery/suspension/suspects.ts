import type { Clock, MagpieError } from '@magpie/contract';
import type { Rendered } from '@magpie/routing';
import type { Delivery, Suspicion } from '../delivery.ts';
import type { Lanes } from '../lanes.ts';
import type { Retries } from '../retries.ts';
import type { Settlement } from '../settlement.ts';
import type { TargetInForce } from '../target-in-force.ts';

/** How long a link must have been up, in ms, before a delivery that ended it once is tried on it again. */
const PROOF_MS = { min: 500, max: 10_000 } as const;

interface SuspectDeps {
  readonly clock: Clock;
}

/** How a delivery may be sent. */
export interface SendTerms {
  /** With nothing else in flight on the link. */
  readonly alone: boolean;
  /** After so many ms; 0: now. */
  readonly wait: number;
}

/** Links that must end with a delivery in flight before it goes alone: one that ends once is an outage, and costs no time. */
const TOGETHER = 2;

/**
 * Finds the message that its peer answers by ending the link. What was in flight when two links in a row ended is suspected: it
 * goes again alone on the link, and each link that ends meanwhile counts against it. Between two tries the link must prove for a while
 * that it lasts without it; a link that ends with nothing on its way clears everybody, for that is a peer that restarts.
 */
export class Suspects {
  readonly #inForce: TargetInForce;
  readonly #lanes: Lanes;
  readonly #settlement: Settlement;
  readonly #retries: Retries;
  readonly #clock: Clock;

  constructor(inForce: TargetInForce, lanes: Lanes, settlement: Settlement, retries: Retries, { clock }: SuspectDeps) {
    this.#inForce = inForce;
    this.#lanes = lanes;
    this.#settlement = settlement;
    this.#retries = retries;
    this.#clock = clock;
  }

  /** How a suspected delivery may be sent. Called per attempt. */
  terms(suspicion: Suspicion): SendTerms {
    return { alone: suspicion.together >= TOGETHER, wait: this.#waitFor(suspicion) };
  }

  #waitFor(suspicion: Suspicion): number {
    if (suspicion.losses === 0) return 0;
    const { health } = this.#inForce.port;
    if (health.idleLosses > suspicion.idleLosses)
      Object.assign(suspicion, { losses: 0, idleLosses: health.idleLosses });
    const proof = Math.min(Math.max(2 * suspicion.lastedMs, PROOF_MS.min), PROOF_MS.max);
    return suspicion.losses === 0 ? 0 : Math.max(0, proof - health.upFor());
  }

  /** Sets a suspect aside that must not be tried yet. Its lane waits, durably; others go on. */
  defer(delivery: Delivery, ms: number): void {
    this.#lanes.refuse(delivery, 'failed');
    this.#lanes.retryIn(delivery, ms);
    if (!delivery.remembered) this.#settlement.remember(delivery);
  }

  /**
   * The link has ended while a delivery was in flight, `alone` or with others, `lastedMs` after it was sent. Resolves when it is
   * suspected, set aside, or given up for good.
   */
  async linkLost(
    delivery: Delivery,
    alone: boolean,
    lastedMs: number,
    rendered: Rendered,
    error: MagpieError,
  ): Promise<void> {
    const { health } = this.#inForce.port;
    delivery.suspicion ??= { together: 0, losses: 0, lastedMs, idleLosses: health.idleLosses };
    if (!alone) {
      delivery.suspicion.together++;
      return;
    }
    const { suspicion } = delivery;
    suspicion.losses++;
    suspicion.lastedMs = lastedMs;
    suspicion.idleLosses = health.idleLosses;
    const { retry } = this.#inForce.target;
    const isLast = error.isPeersVerdict || suspicion.losses >= retry.linkLosses;
    const words = `the link ended while this message was alone on its way (${suspicion.losses} of ${retry.linkLosses}): ${error.message}`;
    delivery.attempts.push({ at: this.#clock.now(), error: error.name, message: words });
    if (isLast) await this.#retries.giveUp(delivery, rendered, words);
    else this.defer(delivery, PROOF_MS.min);
  }

  /** The peer has answered a delivery on a link that stands, whatever it said. */
  clear(delivery: Delivery): void {
    delivery.suspicion = undefined;
  }
}

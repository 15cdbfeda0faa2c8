/** How long after a message of ours its return may take, in ms; what comes later does not come from us. */
export const RETURN_MS = 1000;

/** Pauses before one more is sent, in ms: of random length, so that nobody who sends by a clock can seem to answer. */
const PAUSE_MS = { min: 2000, max: 5000 } as const;

/** Returns, each after a pause of its own, that prove a loop. */
export const PROOFS = 4;

/** How long a content that was tried and found no loop is left alone, in ms: at first, and at the most. Grows fourfold. */
const IMMUNE_MS = { first: 10_000, most: 3_600_000 } as const;

/** Within what time, in ms, so many arrivals make a content suspected. */
const BURST_MS = 1000;

/** Refs of returned messages that are remembered after a verdict. */
const MOST_RETURNED = 10_000;

/** What may be done with a delivery now. */
export type Judgement =
  | { readonly type: 'pass' }
  /** Not before so many ms; then ask again. */
  | { readonly type: 'wait'; readonly ms: number }
  /** It is a message of ours that came back: it must not go out again. */
  | { readonly type: 'loop' };

export const PASS: Judgement = { type: 'pass' };
const LOOP: Judgement = { type: 'loop' };

/**
 * Finds out whether a content that comes often comes because we send it. Nothing of it is sent for a while: what comes in all
 * the same has another origin. Is there silence, a single one is sent, and whether one comes back at once is seen; so several
 * times. What merely repeats itself passes late by that and never at all fails to; times are monotonic, in ms.
 */
export class Trial {
  readonly #threshold: number;
  readonly #random: () => number;
  #phase: 'watching' | 'silence' | 'listening' | 'looping' = 'watching';
  /** Receipt times of the last arrivals while watching. */
  #recent: number[] = [];
  #immuneUntil = Number.NEGATIVE_INFINITY;
  #immunity: number = IMMUNE_MS.first;
  #lastArrival = Number.NEGATIVE_INFINITY;
  #lastSend = Number.NEGATIVE_INFINITY;
  #pause = 0;
  #returns = 0;
  /** The last ref that came in before the verdict. */
  #lastRef = '';
  #verdictRef = '';
  readonly #returned = new Set<string>();
  readonly #pardoned = new Set<string>();

  /** `threshold` arrivals within a second make the content suspected. */
  constructor(threshold: number, random: () => number) {
    this.#threshold = threshold;
    this.#random = random;
  }

  /** Whether the content was found to go round. */
  get isLoop(): boolean {
    return this.#phase === 'looping';
  }

  /** When it came in or went out last. */
  get touched(): number {
    return Math.max(this.#lastArrival, this.#lastSend);
  }

  /** An event of this content has come in. Returns whether that was the last proof of a loop. */
  arrived(ref: string, receivedAt: number, now: number): boolean {
    const isPrompt = now - this.#lastSend <= RETURN_MS;
    this.#lastArrival = now;
    this.#lastRef = ref;
    switch (this.#phase) {
      case 'watching':
        this.#watch(receivedAt, now);
        return false;
      case 'silence':
        if (!isPrompt) this.#acquit(now);
        return false;
      case 'listening':
        if (!isPrompt) this.#acquit(now);
        else if (++this.#returns === PROOFS) return this.#convict();
        else this.#beSilent();
        return false;
      case 'looping':
        if (isPrompt) this.#remember(ref);
        return false;
    }
  }

  /** An operator tries a returned message again: it passes once. */
  pardon(ref: string): void {
    this.#returned.delete(ref);
    this.#pardoned.add(ref);
  }

  /** Judges a delivery of this content that is about to go out; one that passes is sent at once. */
  judge(ref: string, now: number): Judgement {
    const isReturned = this.#phase === 'looping' && (ref <= this.#verdictRef || this.#returned.has(ref));
    if (isReturned && !this.#pardoned.delete(ref)) return LOOP;
    if (this.#phase === 'silence') {
      const left = this.#pause - (now - this.touched);
      if (left > 0) return { type: 'wait', ms: left };
      this.#phase = 'listening';
    } else if (this.#phase === 'listening') {
      const left = RETURN_MS - (now - this.#lastSend);
      if (left >= 0) return { type: 'wait', ms: left + 1 };
      this.#acquit(now);
    }
    this.#lastSend = now;
    return PASS;
  }

  #watch(receivedAt: number, now: number): void {
    this.#recent.push(receivedAt);
    if (this.#recent.length > this.#threshold) this.#recent.shift();
    const [first] = this.#recent;
    const isBurst = this.#recent.length === this.#threshold && receivedAt - first! <= BURST_MS;
    if (!isBurst || now < this.#immuneUntil) return;
    this.#returns = 0;
    // What has been sent may still be on its way.
    this.#lastSend = now;
    this.#beSilent();
  }

  #beSilent(): void {
    this.#phase = 'silence';
    this.#pause = PAUSE_MS.min + this.#random() * (PAUSE_MS.max - PAUSE_MS.min);
  }

  #acquit(now: number): void {
    this.#phase = 'watching';
    this.#recent = [];
    // Some have come back at once: it is looked at again as soon as it comes often.
    if (this.#returns > 0) return;
    this.#immuneUntil = now + this.#immunity;
    this.#immunity = Math.min(this.#immunity * 4, IMMUNE_MS.most);
  }

  #convict(): true {
    this.#phase = 'looping';
    this.#verdictRef = this.#lastRef;
    return true;
  }

  #remember(ref: string): void {
    this.#returned.add(ref);
    if (this.#returned.size <= MOST_RETURNED) return;
    const [oldest] = this.#returned;
    this.#returned.delete(oldest!);
  }
}

/** What a request costs besides its body, bytes: so that there is a bound on their number as well. */
const OVERHEAD = 4096;

/** What one request takes of the budget: from its headers on until its answer is out, or the client is gone, and nobody keeps it. */
export class Share {
  readonly #budget: BodyBudget;
  #bytes = OVERHEAD;
  #keepers = 1;
  #state: 'arriving' | 'waiting' | 'ended' = 'arriving';
  #onEvicted = (): void => undefined;

  /** Made by `BodyBudget.admit`. */
  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  /** Bytes it takes at present. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it takes nothing any more: its body is to be read no further. */
  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Sets what is called, at most once, when its body has to make room for others. */
  set onEvicted(callback: () => void) {
    this.#onEvicted = callback;
  }

  /** So many bytes of its body have come. False: there is no room for them, and it is evicted. */
  arrive(bytes: number): boolean {
    if (this.#state !== 'arriving') return false;
    const fits = this.#budget.grow(this, bytes);
    if (fits) this.#bytes += bytes;
    else this.evict();
    return fits;
  }

  /** The body is there: from now on it makes room for nobody. */
  complete(): void {
    if (this.#state !== 'arriving') return;
    this.#state = 'waiting';
    this.#budget.completed(this);
  }

  /** Takes its part back before the body is complete. Called by the budget. */
  evict(): void {
    if (this.#state !== 'arriving') return;
    this.#state = 'ended';
    this.#budget.release(this, 'arriving');
    this.#onEvicted();
  }

  /** What the request brought waits for the log, also when the client is gone. Returns what ends that, to be called once. */
  keep(): () => void {
    this.#keepers++;
    return () => this.end();
  }

  /** One who kept it does so no more. */
  end(): void {
    if (--this.#keepers > 0 || this.#state === 'ended') return;
    this.#budget.release(this, this.#state);
    this.#state = 'ended';
  }
}

/**
 * The bound on all bodies that are on their way into the log. Bytes count as they arrive, never because they are announced, and
 * bodies that wait to be stored cannot be turned away any more; where there is no room, the body that has been arriving for the
 * longest makes it, so that slow clients never keep quick ones out.
 */
export class BodyBudget {
  readonly #most: number;
  /** Bytes of bodies that are complete and wait to be stored. */
  #waiting = 0;
  /** Bytes of bodies that are arriving. */
  #partial = 0;
  /** Those that are arriving, the oldest first. */
  readonly #arriving = new Set<Share>();

  /** `most`: bytes of all bodies together. One body is taken in whatever its size. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Takes up a request that announces so many bytes. Undefined: they would not fit beside what waits to be stored. */
  admit(announced: number): Share | undefined {
    if (this.#waiting > 0 && this.#waiting + OVERHEAD + announced > this.#most) return undefined;
    const share = new Share(this);
    if (!this.#makeRoom(OVERHEAD, share)) return undefined;
    this.#arriving.add(share);
    this.#partial += OVERHEAD;
    return share;
  }

  /** Counts bytes that have come for a share; false when there is no room. */
  grow(share: Share, bytes: number): boolean {
    if (!this.#makeRoom(bytes, share)) return false;
    this.#partial += bytes;
    return true;
  }

  completed(share: Share): void {
    this.#arriving.delete(share);
    this.#partial -= share.bytes;
    this.#waiting += share.bytes;
  }

  release(share: Share, from: 'arriving' | 'waiting'): void {
    if (from === 'waiting') this.#waiting -= share.bytes;
    else {
      this.#arriving.delete(share);
      this.#partial -= share.bytes;
    }
  }

  #makeRoom(bytes: number, share: Share): boolean {
    for (;;) {
      const others = this.#waiting + this.#partial - (this.#arriving.has(share) ? share.bytes : 0);
      if (others === 0 || this.#waiting + this.#partial + bytes <= this.#most) return true;
      const [oldest] = this.#arriving;
      if (oldest === undefined || oldest === share) return false;
      oldest.evict();
    }
  }
}

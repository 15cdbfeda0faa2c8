/** Bytes counted per request besides its body, so that the number of requests is limited too. */
const OVERHEAD = 4096;

/**
 * The share of one request in the budget, from its headers until its answer is sent or the client is gone, and its
 * message no longer waits for the log.
 */
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

  /** Its present size in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it has ended: the body must not be read further. */
  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Sets the callback for the eviction of its body; called at most once. */
  set onEvicted(callback: () => void) {
    this.#onEvicted = callback;
  }

  /** Counts received bytes of its body. Returns false when there is no room and it was evicted. */
  arrive(bytes: number): boolean {
    if (this.#state !== 'arriving') return false;
    const fits = this.#budget.grow(this, bytes);
    if (fits) this.#bytes += bytes;
    else this.evict();
    return fits;
  }

  /** Marks the body as complete: from now on it cannot be evicted. */
  complete(): void {
    if (this.#state !== 'arriving') return;
    this.#state = 'waiting';
    this.#budget.completed(this);
  }

  /** Ends the share before the body is complete. Called by the budget. */
  evict(): void {
    if (this.#state !== 'arriving') return;
    this.#state = 'ended';
    this.#budget.release(this, 'arriving');
    this.#onEvicted();
  }

  /**
   * Keeps the share while the message waits for the log, even if the client is gone. Returns the release, to be called
   * once.
   */
  keep(): () => void {
    this.#keepers++;
    return () => this.end();
  }

  /** Releases one hold on the share. */
  end(): void {
    if (--this.#keepers > 0 || this.#state === 'ended') return;
    this.#budget.release(this, this.#state);
    this.#state = 'ended';
  }
}

/**
 * Limits the total size of bodies on their way into the log. Bytes count when they arrive, not when they are announced.
 * Complete bodies are never evicted; when room is needed, the body that has been arriving longest is evicted, so that
 * slow clients cannot block fast ones.
 */
export class BodyBudget {
  readonly #most: number;
  /** Bytes of bodies that are complete and wait to be stored. */
  #waiting = 0;
  /** Bytes of bodies that are arriving. */
  #partial = 0;
  /** Shares of arriving bodies, oldest first. */
  readonly #arriving = new Set<Share>();

  /** `most`: bytes of all bodies together. A single body may exceed it. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Admits a request that announces `announced` bytes. Undefined when they would not fit beside the bodies waiting to
   * be stored.
   */
  admit(announced: number): Share | undefined {
    if (this.#waiting > 0 && this.#waiting + OVERHEAD + announced > this.#most) return undefined;
    const share = new Share(this);
    if (!this.#makeRoom(OVERHEAD, share)) return undefined;
    this.#arriving.add(share);
    this.#partial += OVERHEAD;
    return share;
  }

  /** Counts received bytes of a share; false when there is no room. */
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

import { type Problem, unavailable } from '../problems/problem.ts';

/** Bytes of all large answers that are made, or wait for their clients to read them, at a time. */
export const MOST_ANSWERS: number = 64 * 1024 * 1024;

/** What a page costs before it is known what is on it: the events and their JSON. */
export const PAGE_COST: number = 8 * 1024 * 1024;

/** Requests that may wait for their turn. */
const MOST_WAITING = 256;

/** How long one waits for its turn, ms. */
const WAIT_MS = 10_000;

/** How long a client may take to read its answer while others wait for theirs, ms. */
const SLOW_MS = 10_000;

/** Time between two looks for slow clients while others wait, ms. */
const CHECK_MS = 250;

/** When to try again, ms. */
const RETRY_MS = 1000;

/** What one answer takes of the budget, until it is read or its client is gone. */
export interface AnswerShare {
  /** It takes only so much, as is known now. */
  shrink(bytes: number): void;
  /** It takes nothing any more. Idempotent. */
  end(): void;
}

interface Taken {
  bytes: number;
  readonly at: number;
  readonly cut: () => void;
}

interface Waiting {
  readonly bytes: number;
  readonly cut: () => void;
  readonly resolve: (share: AnswerShare) => void;
  readonly reject: (problem: Problem) => void;
  readonly until: number;
}

/**
 * The bound on large answers: how many there are at a time times how large they are. Requests beyond it wait for their turn;
 * clients that are slow to read are cut when that keeps others waiting.
 */
export class AnswerBudget {
  readonly #most: number;
  readonly #slowMs: number;
  #bytes = 0;
  /** The oldest first. */
  readonly #taken = new Set<Taken>();
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `most`: bytes of all answers together; one answer is made whatever its size. `slowMs`: the time a client has to read. */
  constructor(most: number = MOST_ANSWERS, slowMs: number = SLOW_MS) {
    this.#most = most;
    this.#slowMs = slowMs;
  }

  /**
   * Resolves once it is the turn of an answer that may take so many bytes. `cut` ends its connection. Rejects with `Problem` 503
   * when too many wait already, or for too long.
   */
  async acquire(bytes: number, cut: () => void): Promise<AnswerShare> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) return this.#take(bytes, cut);
    if (this.#waiting.length >= MOST_WAITING) throw tooMany();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, cut, resolve, reject, until: performance.now() + WAIT_MS });
      this.#timer ??= setInterval(() => this.#check(), CHECK_MS).unref();
    });
  }

  #fits(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#most;
  }

  #take(bytes: number, cut: () => void): AnswerShare {
    const taken: Taken = { bytes, at: performance.now(), cut };
    this.#taken.add(taken);
    this.#bytes += bytes;
    return {
      shrink: (size) => {
        if (!this.#taken.has(taken)) return;
        this.#bytes += size - taken.bytes;
        taken.bytes = size;
        this.#serve();
      },
      end: () => {
        if (!this.#taken.delete(taken)) return;
        this.#bytes -= taken.bytes;
        this.#serve();
      },
    };
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.resolve(this.#take(next.bytes, next.cut));
    }
    if (this.#waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #check(): void {
    const now = performance.now();
    for (const { at, cut } of this.#taken) {
      if (now - at >= this.#slowMs) cut();
    }
    const late = this.#waiting.filter(({ until }) => until <= now);
    this.#waiting = this.#waiting.filter(({ until }) => until > now);
    for (const { reject } of late) reject(tooMany());
    this.#serve();
  }
}

const tooMany = (): Problem => unavailable('Too many large answers are being made or read.', RETRY_MS);

import { type Problem, unavailable } from '../problems/problem.ts';

/** Total bytes of large answers that are being made or read at a time. */
export const MOST_ANSWERS: number = 64 * 1024 * 1024;

/** Estimated bytes of a page before its content is known: the events and their JSON. */
export const PAGE_COST: number = 8 * 1024 * 1024;

/** Maximum number of waiting requests. */
const MOST_WAITING = 256;

/** Longest wait for a turn, ms. */
const WAIT_MS = 10_000;

/** Longest time a client may take to read its answer while other requests wait, ms. */
const SLOW_MS = 10_000;

/** Interval of the check for slow clients while requests wait, ms. */
const CHECK_MS = 250;

/** Value of `retry-after`, ms. */
const RETRY_MS = 1000;

/** The share of one answer in the budget, until it is read or its client is gone. */
export interface AnswerShare {
  /** Reduces the share to its actual size once that is known. */
  shrink(bytes: number): void;
  /** Returns the share. Idempotent. */
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
 * Limits the total size of large answers at a time. Further requests wait for their turn; clients that read slowly are
 * cut when others wait.
 */
export class AnswerBudget {
  readonly #most: number;
  readonly #slowMs: number;
  #bytes = 0;
  /** The oldest first. */
  readonly #taken = new Set<Taken>();
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** `most`: bytes of all answers together; a single answer may exceed it. `slowMs`: time a client has to read. */
  constructor(most: number = MOST_ANSWERS, slowMs: number = SLOW_MS) {
    this.#most = most;
    this.#slowMs = slowMs;
  }

  /**
   * Resolves when an answer of up to `bytes` may be made. `cut` ends its connection. Rejects with `Problem` 503 when
   * too many requests wait, or this one waited too long.
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

const tooMany = (): Problem =>
  unavailable('Too many large answers are being made or read: try again as Retry-After says.', RETRY_MS);

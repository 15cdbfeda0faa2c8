import type { Appended, Commit, EventLog } from '@magpie/bus';

/** Told of every commit once it is durable, in order. */
export type Witness = (change: Commit, results: readonly Appended[]) => void;

interface Held {
  readonly change: Commit;
  readonly done: (results: readonly Appended[]) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * The log as one process sees it: commits can be held up, as by a slow disk, and a crash cuts it off. What had not been
 * written by then is lost, what was written stays.
 */
export class Disk {
  readonly log: EventLog;
  readonly #store: EventLog;
  readonly #witness: Witness;
  readonly #held: Held[] = [];
  #holding = false;
  #alive = true;
  #outstanding = 0;

  constructor(store: EventLog, witness: Witness) {
    this.#store = store;
    this.#witness = witness;
    this.log = this.#wrap();
  }

  get holding(): boolean {
    return this.#holding;
  }

  /** Whether the store is working on something. */
  get busy(): boolean {
    return this.#outstanding > 0;
  }

  /** From now on commits wait. */
  hold(): void {
    this.#holding = true;
  }

  /** Writes what waits. */
  release(): void {
    this.#holding = false;
    for (const each of this.#held.splice(0)) this.#write(each);
  }

  /** Cuts the process off; the first `written` of the waiting commits are still written. */
  async cut(written: number): Promise<void> {
    this.#alive = false;
    for (const each of this.#held.splice(0).slice(0, written)) this.#write(each);
    await this.idle();
  }

  /** Resolves when the store has nothing to do. */
  async idle(): Promise<void> {
    while (this.busy) await new Promise((resolve) => setImmediate(resolve));
  }

  #write({ change, done, failed }: Held): void {
    this.#outstanding++;
    this.#store
      .commit(change)
      .then(
        (results) => {
          this.#witness(change, results);
          if (this.#alive) done(results);
        },
        (error: unknown) => {
          if (this.#alive) failed(error);
        },
      )
      .finally(() => this.#outstanding--);
  }

  #commit(change: Commit): Promise<readonly Appended[]> {
    return new Promise((done, failed) => {
      if (!this.#alive) return;
      const held = { change, done, failed };
      if (this.#holding) this.#held.push(held);
      else this.#write(held);
    });
  }

  /** Answers nothing once the process has crashed. */
  #ask<T>(question: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#alive) return;
      this.#outstanding++;
      question()
        .then(
          (answer) => this.#alive && resolve(answer),
          (error: unknown) => this.#alive && reject(error),
        )
        .finally(() => this.#outstanding--);
    });
  }

  #wrap(): EventLog {
    return new Proxy(this.#store, {
      get: (store, name: keyof EventLog) => {
        if (name === 'commit') return (change: Commit) => this.#commit(change);
        const method = store[name] as (...question: readonly unknown[]) => unknown;
        if (IMMEDIATE.has(name)) return method;
        return (...question: readonly unknown[]) => this.#ask(async () => method(...question));
      },
    });
  }
}

/** What a log answers at once, also to a process that is about to end. */
const IMMEDIATE: ReadonlySet<keyof EventLog> = new Set(['head', 'parsePosition', 'space', 'close'] as const);

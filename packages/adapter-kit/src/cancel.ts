import { Aborted, type Clock, type MagpieError, throwIfAborted } from '@magpie/contract';

/** A waiting operation with its abort signal. */
export interface Cancellable {
  readonly signal: AbortSignal;
}

interface Watched<T> {
  readonly waiting: Set<T>;
  stop(): void;
}

/**
 * Calls `cancel` for each watched operation whose signal fires. Each signal gets one listener however many operations
 * wait for it, and none when none wait: adding a listener takes time proportional to the listeners already there, which
 * matters with a thousand sends in flight.
 */
export class AbortWatch<T extends Cancellable> {
  readonly #watched = new WeakMap<AbortSignal, Watched<T>>();
  readonly #cancel: (waiting: T) => void;

  /** @param cancel called once per waiting operation when its signal fires; must not throw. */
  constructor(cancel: (waiting: T) => void) {
    this.#cancel = cancel;
  }

  /** Adds an operation. Its signal must not have fired yet: see `throwIfAborted`. */
  watch(waiting: T): void {
    (this.#watched.get(waiting.signal) ?? this.#listen(waiting.signal)).waiting.add(waiting);
  }

  /** Removes an operation that no longer waits. Ignores unknown ones. */
  done(waiting: T): void {
    const watched = this.#watched.get(waiting.signal);
    if (!watched?.waiting.delete(waiting) || watched.waiting.size > 0) return;
    watched.stop();
    this.#watched.delete(waiting.signal);
  }

  #listen(signal: AbortSignal): Watched<T> {
    const waiting = new Set<T>();
    const fired = (): void => {
      this.#watched.delete(signal);
      for (const one of [...waiting]) this.#cancel(one);
    };
    signal.addEventListener('abort', fired, { once: true });
    const watched = { waiting, stop: () => signal.removeEventListener('abort', fired) };
    this.#watched.set(signal, watched);
    return watched;
  }
}

interface Callback extends Cancellable {
  call(): void;
}

const callbacks = new AbortWatch<Callback>((waiting) => waiting.call());

/**
 * Calls back once when the signal fires, or at once if it has fired already.
 * @returns a function that removes the callback; call it when the operation is over, or the signal keeps the callback.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  const waiting = { signal, call: callback };
  callbacks.watch(waiting);
  return () => callbacks.done(waiting);
}

/**
 * Waits for a promise until the signal fires. The operation behind the promise goes on; its late failure is ignored.
 * @param what message of the error, such as `sending was cancelled`.
 * @throws Aborted when the signal fires first, or had fired before.
 */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal, what = 'cancelled'): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = onAbort(signal, () => reject(new Aborted(what, { cause: signal.reason })));
  return Promise.race([promise, aborted]).finally(stop);
}

/** A time limit beside the caller's signal. */
export interface Deadline {
  readonly clock: Clock;
  /** Longest time, ms. */
  readonly ms: number;
  /** The caller's signal. */
  readonly signal: AbortSignal;
  /** Name of the operation for the error message: `connecting`. */
  readonly what: string;
  /** Makes the error for a missed deadline. */
  late(): MagpieError;
}

/**
 * Runs an operation with a signal that fires with the caller's signal or at the deadline, and waits until the operation
 * has ended and cleaned up. For an operation that ignores signals use `untilAborted`. Called once per attempt; leaves
 * no timer and no listener.
 * @throws Aborted when the caller's signal fired, the error of `late` at the deadline; otherwise the operation's own
 * error.
 */
export async function withDeadline<T>(
  { clock, ms, signal, what, late }: Deadline,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  throwIfAborted(signal);
  const limited = new AbortController();
  const stopTimer = clock.timeout(ms, () => limited.abort(new Error(`not within ${ms} ms`)));
  const stop = onAbort(signal, () => limited.abort(signal.reason));
  try {
    return await run(limited.signal);
  } catch (error) {
    if (signal.aborted) throw new Aborted(`${what} was cancelled`, { cause: signal.reason });
    throw limited.signal.aborted ? Object.assign(late(), { cause: error }) : error;
  } finally {
    stopTimer();
    stop();
  }
}

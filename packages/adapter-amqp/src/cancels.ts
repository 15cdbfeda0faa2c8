/** Something that waits until a signal fires. */
export interface Cancellable {
  readonly signal: AbortSignal;
}

/** Ends the waiting of those whose signal fires, with one listener per signal instead of one each. */
export interface Cancels<T extends Cancellable> {
  watch(waiting: T): void;
  /** It does not wait any more. */
  done(waiting: T): void;
}

interface Entry<T> {
  readonly waiting: Set<T>;
  stop(): void;
}

/** A signal that nobody waits for has no listener. */
export function createCancels<T extends Cancellable>(cancel: (waiting: T) => void): Cancels<T> {
  const entries = new Map<AbortSignal, Entry<T>>();
  const listen = (signal: AbortSignal): Entry<T> => {
    const waiting = new Set<T>();
    const abort = (): void => {
      for (const one of [...waiting]) cancel(one);
    };
    signal.addEventListener('abort', abort);
    const entry = { waiting, stop: () => signal.removeEventListener('abort', abort) };
    entries.set(signal, entry);
    return entry;
  };
  return {
    watch(waiting) {
      (entries.get(waiting.signal) ?? listen(waiting.signal)).waiting.add(waiting);
    },
    done(waiting) {
      const entry = entries.get(waiting.signal);
      if (!entry?.waiting.delete(waiting) || entry.waiting.size > 0) return;
      entry.stop();
      entries.delete(waiting.signal);
    },
  };
}

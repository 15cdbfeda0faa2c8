type Callbacks = Set<() => void>;

const watched = new WeakMap<AbortSignal, Callbacks>();

/**
 * Calls back when the signal fires; the result ends it. However many wait for one signal, it has one listener: adding a
 * listener costs as much as the signal has already, which a window of a thousand sends would feel.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = watched.get(signal) ?? watch(signal);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size === 0) unwatch(signal, callbacks);
  };
}

const listeners = new WeakMap<Callbacks, () => void>();

function watch(signal: AbortSignal): Callbacks {
  const callbacks: Callbacks = new Set();
  const fire = (): void => {
    for (const callback of [...callbacks]) callback();
  };
  watched.set(signal, callbacks);
  listeners.set(callbacks, fire);
  signal.addEventListener('abort', fire, { once: true });
  return callbacks;
}

function unwatch(signal: AbortSignal, callbacks: Callbacks): void {
  const fire = listeners.get(callbacks);
  if (fire) signal.removeEventListener('abort', fire);
  if (watched.get(signal) === callbacks) watched.delete(signal);
}

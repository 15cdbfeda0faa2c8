import type { Sending } from './send/sending.ts';

/** Ends the waiting for messages whose signal fires, with one listener per signal instead of one per message. */
export interface Cancels {
  watch(sending: Sending): void;
  /** Nobody waits for it any more. */
  done(sending: Sending): void;
}

/** For one link. A signal that no message waits for has no listener. */
export function createCancels(): Cancels {
  const watched = new Map<AbortSignal, { readonly sendings: Set<Sending>; stop(): void }>();
  const listen = (signal: AbortSignal) => {
    const sendings = new Set<Sending>();
    const abort = (): void => {
      for (const sending of sendings) sending.abort();
    };
    signal.addEventListener('abort', abort);
    const entry = { sendings, stop: () => signal.removeEventListener('abort', abort) };
    watched.set(signal, entry);
    return entry;
  };
  return {
    watch(sending) {
      (watched.get(sending.signal) ?? listen(sending.signal)).sendings.add(sending);
    },
    done(sending) {
      const entry = watched.get(sending.signal);
      if (!entry?.sendings.delete(sending) || entry.sendings.size > 0) return;
      entry.stop();
      watched.delete(sending.signal);
    },
  };
}

import { untilAborted } from '@magpie/adapter-kit';
import { Aborted } from '@magpie/contract';

/** Keeps call order among sends of which some must wait before they go out. */
export interface Turns {
  /** Whether no turn is pending and there is room: a send that need not wait may skip the queue. */
  readonly free: boolean;
  /**
   * Runs `go` when `ready` has resolved and every earlier turn is over; at once, before it returns, when there is
   * nothing to wait for. Rejects with what `ready` rejects with or `go` throws; with `Aborted`, without running it,
   * when the signal fires first. In every case later turns continue in order.
   */
  take<T>(ready: Promise<void> | undefined, signal: AbortSignal, go: () => T): T | Promise<T>;
}

const CANCELLED = 'sending was cancelled before the message was handed over';

/** Makes the order of one link. Every turn waits for `room`, which is called until it returns undefined. */
export function createTurns(room: () => Promise<void> | undefined = () => undefined): Turns {
  let last: Promise<void> | undefined;
  const enqueue = async <T>(
    before: Promise<void> | undefined,
    ready: Promise<void> | undefined,
    signal: AbortSignal,
    go: () => T,
  ): Promise<T> => {
    await before;
    await ready;
    for (let full = room(); full && !signal.aborted; full = room()) await untilAborted(full, signal, CANCELLED);
    if (signal.aborted) throw new Aborted(CANCELLED, { cause: signal.reason });
    return go();
  };
  return {
    get free() {
      return last === undefined && room() === undefined;
    },
    take(ready, signal, go) {
      if (!ready && !last && !room()) return go();
      ready?.catch(() => undefined); // May fail while earlier turns are still waiting; the turn itself reports it to the caller.
      const turn = enqueue(last, ready, signal, go);
      const over = turn.then(
        () => undefined,
        () => undefined,
      );
      last = over;
      void over.then(() => {
        if (last === over) last = undefined;
      });
      return untilAborted(turn, signal, CANCELLED);
    },
  };
}

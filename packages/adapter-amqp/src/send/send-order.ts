import { untilAborted } from '@magpie/adapter-kit';
import { Aborted } from '@magpie/contract';

/** Keeps call order among sends of which some must wait before they go out. */
export interface Turns {
  /** Nobody waits for a turn, and there is room: whoever has nothing else to wait for may go without one. */
  readonly free: boolean;
  /**
   * Runs `go` when `ready` has resolved and every earlier turn is over; at once, before it returns, when there is nothing to
   * wait for. Rejects with what `ready` rejects with or `go` throws; with `Aborted`, without running it, when the signal
   * fires first. Whichever it is, later turns go on in their order.
   */
  take<T>(ready: Promise<void> | undefined, signal: AbortSignal, go: () => T): T | Promise<T>;
}

const CANCELLED = 'sending was cancelled before the message was handed over';

/** Makes the order of one link. `room` is what every turn waits for, asked as long as it says that there is something. */
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
      ready?.catch(() => undefined); // May fail while earlier turns are still waiting; the turn itself tells the caller.
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

/** Room for unconfirmed sends on one link, shared fairly by the delivery queues of a connection. */
export interface SendWindow {
  /**
   * Takes one place, or remembers `wake` to be called once when it may be tried again. `alone`: nothing else may be in flight
   * on the link until `release`; who asks for that goes before all others.
   */
  acquire(wake: () => void, alone?: boolean): boolean;
  release(): void;
  /** Resolves when no place is taken. */
  idle(): Promise<void>;
}

/** Makes the window of a link that keeps up to `size` unconfirmed sends in order. */
export function createSendWindow(size: number): SendWindow {
  let used = 0;
  let isAlone = false;
  const waiting = new Set<() => void>();
  const waitingAlone = new Set<() => void>();
  let idle: (() => void)[] = [];

  const wake = (sleepers: Set<() => void>, isFull: () => boolean): void => {
    // Who is woken may have nothing to send (any more): then it is the next one's turn.
    for (const next of [...sleepers]) {
      if (isFull()) return;
      sleepers.delete(next);
      next();
    }
  };

  return {
    acquire: (again, alone = false) => {
      const isFree = alone ? used === 0 : used < size && !isAlone && waitingAlone.size === 0;
      if (!isFree) {
        (alone ? waitingAlone : waiting).add(again);
        return false;
      }
      used++;
      isAlone = alone;
      return true;
    },
    release: () => {
      used--;
      isAlone = false;
      if (used === 0 && idle.length > 0) {
        for (const resolve of idle) resolve();
        idle = [];
      }
      if (used === 0 && waitingAlone.size > 0) wake(waitingAlone, () => used > 0);
      if (waiting.size > 0) wake(waiting, () => used >= size || isAlone || waitingAlone.size > 0);
    },
    idle: () => (used === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}

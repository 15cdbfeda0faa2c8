/** Room for unconfirmed sends on one link, shared fairly by the queues of a connection. */
export interface SendWindow {
  /** Takes one place, or remembers `wake` to be called once when a place is free. */
  acquire(wake: () => void): boolean;
  release(): void;
  /** Resolves when no place is taken. */
  idle(): Promise<void>;
}

export function createSendWindow(size: number): SendWindow {
  let used = 0;
  const waiting = new Set<() => void>();
  let idle: (() => void)[] = [];
  return {
    acquire: (wake) => {
      if (used >= size) {
        waiting.add(wake);
        return false;
      }
      used++;
      return true;
    },
    release: () => {
      used--;
      if (used === 0 && idle.length > 0) {
        for (const resolve of idle) resolve();
        idle = [];
      }
      if (waiting.size === 0) return;
      // Who is woken may have nothing to send (any more): then it is the next one's turn.
      for (const next of [...waiting]) {
        if (used >= size) return;
        waiting.delete(next);
        next();
      }
    },
    idle: () => (used === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}

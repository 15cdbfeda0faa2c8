/** A gate that can be closed for a while: callers then wait, in order. */
export interface Gate {
  shut(): void;
  open(): void;
  /** Resolves at once while open, otherwise when it is opened. */
  passed(): Promise<void>;
}

/** An open gate. */
export function createGate(): Gate {
  let waiting: (() => void)[] | undefined;
  return {
    shut() {
      waiting ??= [];
    },
    open() {
      const released = waiting ?? [];
      waiting = undefined;
      for (const release of released) release();
    },
    passed() {
      return waiting ? new Promise((resolve) => waiting?.push(resolve)) : Promise.resolve();
    },
  };
}

/** Something that can be shut for a while: who comes meanwhile waits, in order. */
export interface Gate {
  shut(): void;
  open(): void;
  /** Resolves at once while open, else when it is opened. */
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

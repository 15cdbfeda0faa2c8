/** Messages that have arrived, and callers waiting for the next one. */
export interface Inbox<T> {
  put(item: T): void;
  /** The next item, in order of arrival. */
  take(): Promise<T>;
}

/** Makes an empty inbox. Unbounded: a scenario has a handful of messages. */
export function createInbox<T>(): Inbox<T> {
  const items: T[] = [];
  const waiters: ((item: T) => void)[] = [];
  return {
    put: (item) => {
      const waiter = waiters.shift();
      if (waiter) waiter(item);
      else items.push(item);
    },
    take: () => (items.length > 0 ? Promise.resolve(items.shift()!) : new Promise((resolve) => waiters.push(resolve))),
  };
}

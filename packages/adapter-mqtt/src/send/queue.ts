/** First in, first out. Adding and taking cost the same however long it is. */
export interface Queue<T> {
  readonly empty: boolean;
  push(item: T): void;
  /** Takes items as long as the next one may go. A call from within `use` does nothing: the outer one goes on. */
  take(mayGo: (item: T) => boolean, use: (item: T) => void): void;
  /** Empties it. @returns what was in it. */
  clear(): readonly T[];
}

/** Places of taken items that may be kept before the rest is moved up. */
const TIDY = 1024;

/** An empty queue. */
export function createQueue<T>(): Queue<T> {
  let items: T[] = [];
  let head = 0;
  let taking = false;
  return {
    get empty() {
      return head === items.length;
    },
    push(item) {
      items.push(item);
    },
    take(mayGo, use) {
      if (taking || head === items.length) return;
      taking = true;
      while (head < items.length && mayGo(items[head]!)) use(items[head++]!);
      taking = false;
      if (head < items.length && head < TIDY) return;
      items = items.slice(head);
      head = 0;
    },
    clear() {
      const left = items.slice(head);
      items = [];
      head = 0;
      return left;
    },
  };
}

/** A first-in-first-out queue with constant cost per operation. */
export interface Queue<T> {
  readonly empty: boolean;
  push(item: T): void;
  /** Takes items while `mayGo` allows the next one. A call from within `use` does nothing: the outer call continues. */
  take(mayGo: (item: T) => boolean, use: (item: T) => void): void;
  /** Empties it. @returns what was in it. */
  clear(): readonly T[];
}

/** Number of taken items kept before the array is compacted. */
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

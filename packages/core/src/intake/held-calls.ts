/** Lets calls of one source through in order: at once as long as nothing holds, else one after the other as they may. */
export interface OrderedRetry<T, R> {
  /** `attempt` resolves to undefined when it has to be made again later. */
  pass(item: T): Promise<R>;
  /** Calls that wait. */
  readonly waiting: number;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly number: number;
  readonly resolve: (result: R) => void;
}

/**
 * Makes a calls. `held` tells whether calls have to wait now, `opened` resolves when they need not; `attempt` makes one
 * call and resolves to undefined when it could not be made: then it keeps its place. Calls already under way when the first
 * one fails fail too and take their places behind it, by their numbers.
 */
export function createOrderedRetry<T, R>(
  held: () => boolean,
  opened: () => Promise<void>,
  attempt: (item: T) => Promise<R | undefined>,
): OrderedRetry<T, R> {
  const queue: Waiting<T, R>[] = [];
  let numbers = 0;
  let draining = false;

  const enqueue = (waiting: Waiting<T, R>): void => {
    const at = queue.findIndex(({ number }) => number > waiting.number);
    queue.splice(at < 0 ? queue.length : at, 0, waiting);
    if (!draining) void drain();
  };

  const drain = async (): Promise<void> => {
    draining = true;
    while (queue.length > 0) {
      await opened();
      const first = queue[0]!;
      const result = await attempt(first.item);
      if (result === undefined) continue;
      queue.splice(queue.indexOf(first), 1);
      first.resolve(result);
    }
    draining = false;
  };

  return {
    pass: (item) =>
      new Promise((resolve, reject) => {
        const waiting = { item, number: numbers++, resolve };
        if (held() || queue.length > 0) return enqueue(waiting);
        attempt(item).then((result) => (result === undefined ? enqueue(waiting) : resolve(result)), reject);
      }),
    get waiting() {
      return queue.length;
    },
  };
}

const WAIT_MS = 10_000;

/** Messages that have arrived, by the id they carry, and those who wait for them. */
export interface Mailbox<T> {
  put(id: string, item: T): void;
  /** The message with this id; rejects when it does not come within 10 s. */
  take(id: string): Promise<T>;
  /** How many arrived with this id. */
  count(id: string): number;
}

export function createMailbox<T>(): Mailbox<T> {
  const arrived = new Map<string, T[]>();
  const waiters = new Map<string, (item: T) => void>();
  return {
    put: (id, item) => {
      arrived.set(id, [...(arrived.get(id) ?? []), item]);
      waiters.get(id)?.(item);
    },
    take: async (id) => {
      const known = arrived.get(id)?.[0];
      if (known !== undefined) return known;
      return new Promise<T>((resolve, reject) => {
        const others = () => [...arrived.keys()].slice(-5).join(', ');
        const fail = (): void =>
          reject(new Error(`no message "${id}" within ${WAIT_MS} ms; the last were: ${others()}`));
        const timer = setTimeout(fail, WAIT_MS);
        waiters.set(id, (item) => {
          clearTimeout(timer);
          resolve(item);
        });
      });
    },
    count: (id) => arrived.get(id)?.length ?? 0,
  };
}

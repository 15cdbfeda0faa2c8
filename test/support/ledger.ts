/** What a ledger found. Duplicates are allowed by the promise, losses and disorder are not. */
export interface LedgerReport {
  readonly acked: number;
  readonly received: number;
  /** Acknowledged to the sender, never received at the target. */
  readonly lost: readonly string[];
  /** Receptions beyond the first of each id. */
  readonly duplicates: number;
  /** Of the duplicates, those that are copies of another event: the source handed the message over again. */
  readonly takenInAgain: number;
  /** First receptions that came after a later id of the same key. */
  readonly disordered: readonly string[];
}

/** Records, outside the gateway's process, what was acknowledged to a sender and what arrived at a target. */
export interface Ledger {
  acked(id: string): void;
  /**
   * `event` is what the target shows of the gateway's own id of the event: it tells a message that was sent twice from
   * one that was taken in twice.
   */
  received(id: string, event?: string): void;
  has(id: string): boolean;
  /** Ids that are acknowledged and not yet received. */
  missing(): number;
  /** Takes what was acknowledged in the last `ms` and has not arrived out of the promise; returns how many those are. */
  excuse(ms: number): number;
  report(): LedgerReport;
}

/** Ids are `key-number`; numbers of one key rise in the order of sending. */
export function createLedger(): Ledger {
  const waiting = new Map<string, number>();
  let acknowledged = 0;
  const arrived = new Map<string, { count: number; readonly events: Set<string | undefined> }>();
  const highest = new Map<string, number>();
  const disordered: string[] = [];

  const noteOrder = (id: string): void => {
    const dash = id.lastIndexOf('-');
    const [key, number] = [id.slice(0, dash), Number(id.slice(dash + 1))];
    if (number < (highest.get(key) ?? -1)) disordered.push(id);
    else highest.set(key, number);
  };

  return {
    acked: (id) => {
      acknowledged++;
      if (!arrived.has(id)) waiting.set(id, performance.now());
    },
    received: (id, event) => {
      waiting.delete(id);
      const seen = arrived.get(id) ?? { count: 0, events: new Set() };
      if (seen.count++ === 0) noteOrder(id);
      seen.events.add(event);
      arrived.set(id, seen);
    },
    has: (id) => arrived.has(id),
    missing: () => waiting.size,
    excuse: (ms) => {
      const since = performance.now() - ms;
      const excused = [...waiting].filter(([, at]) => at >= since).map(([id]) => id);
      for (const id of excused) waiting.delete(id);
      acknowledged -= excused.length;
      return excused.length;
    },
    report: () => ({
      acked: acknowledged,
      received: arrived.size,
      lost: [...waiting.keys()],
      duplicates: [...arrived.values()].reduce((sum, { count }) => sum + count - 1, 0),
      takenInAgain: [...arrived.values()].reduce((sum, { events }) => sum + events.size - 1, 0),
      disordered,
    }),
  };
}

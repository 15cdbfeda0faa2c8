/** What a ledger found. Duplicates are allowed by the promise, losses and disorder are not. */
export interface LedgerReport {
  readonly acked: number;
  readonly received: number;
  /** Acknowledged to the sender, never received at the target. */
  readonly lost: readonly string[];
  readonly duplicates: number;
  /** First receptions that came after a later id of the same key. */
  readonly disordered: readonly string[];
}

/** Records, outside the gateway's process, what was acknowledged to a sender and what arrived at a target. */
export interface Ledger {
  acked(id: string): void;
  received(id: string): void;
  /** Ids that are acknowledged and not yet received. */
  missing(): number;
  report(): LedgerReport;
}

/** Ids are `key-number`; numbers of one key rise in the order of sending. */
export function createLedger(): Ledger {
  const acknowledged = new Set<string>();
  const arrived = new Map<string, number>();
  const highest = new Map<string, number>();
  const disordered: string[] = [];

  const noteOrder = (id: string): void => {
    const dash = id.lastIndexOf('-');
    const [key, number] = [id.slice(0, dash), Number(id.slice(dash + 1))];
    if (number < (highest.get(key) ?? -1)) disordered.push(id);
    else highest.set(key, number);
  };

  const missing = (): string[] => [...acknowledged].filter((id) => !arrived.has(id));

  return {
    acked: (id) => acknowledged.add(id),
    received: (id) => {
      const count = arrived.get(id) ?? 0;
      if (count === 0) noteOrder(id);
      arrived.set(id, count + 1);
    },
    missing: () => missing().length,
    report: () => ({
      acked: acknowledged.size,
      received: arrived.size,
      lost: missing(),
      duplicates: [...arrived.values()].reduce((sum, count) => sum + count - 1, 0),
      disordered,
    }),
  };
}

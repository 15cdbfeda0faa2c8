/**
 * Which deliveries of one channel are durable. Delivery tags count from 1 without gaps on a channel, and `basic.ack` with
 * `multiple` settles everything up to a tag: the ledger finds the highest tag below which nothing is missing.
 */
export interface AckLedger {
  /** This delivery may be acknowledged. Any order, each tag once. */
  settle(tag: number): void;
  /** This delivery and everything after it must never be acknowledged on this channel. */
  hold(tag: number): void;
  /** The tag to acknowledge now with `multiple`, or undefined when nothing was added since the last call. */
  advance(): number | undefined;
}

/** An empty ledger; one per channel, because delivery tags count per channel. */
export function createAckLedger(): AckLedger {
  const ahead = new Set<number>();
  let contiguous = 0;
  let acknowledged = 0;
  let limit = Number.POSITIVE_INFINITY;
  return {
    settle(tag) {
      if (tag !== contiguous + 1) ahead.add(tag);
      else contiguous = tag;
      while (ahead.delete(contiguous + 1)) contiguous += 1;
    },
    hold(tag) {
      limit = Math.min(limit, tag - 1);
    },
    advance() {
      const upTo = Math.min(contiguous, limit);
      if (upTo <= acknowledged) return undefined;
      acknowledged = upTo;
      return upTo;
    },
  };
}

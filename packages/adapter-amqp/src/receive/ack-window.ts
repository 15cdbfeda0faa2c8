/**
 * Tracks the durable deliveries of one channel. Delivery tags count from 1 without gaps, and `basic.ack` with
 * `multiple` settles everything up to a tag: this finds the highest tag below which every delivery is durable.
 */
export interface AckLedger {
  /** This delivery may be acknowledged. Any order, each tag once. */
  settle(tag: number): void;
  /** Marks a delivery as settled by a rejection: no acknowledgement may name it. */
  skip(tag: number): void;
  /** Leaves a delivery unacknowledged; later ones are acknowledged individually. */
  leave(tag: number): void;
  /** The tag to acknowledge now with `multiple`, or undefined when nothing was added since the last call. */
  advance(): number | undefined;
  /** The tags to acknowledge individually now, because an earlier one stays unacknowledged. */
  singles(): readonly number[];
}

/** An empty ledger; one per channel, because delivery tags count per channel. */
export function createAckLedger(): AckLedger {
  const ahead = new Set<number>();
  const skipped = new Set<number>();
  let alone: number[] = [];
  let contiguous = 0;
  let ready = 0;
  let acknowledged = 0;
  let left = Number.POSITIVE_INFINITY;

  const enter = (tag: number): void => {
    if (tag === contiguous + 1 && skipped.size === 0) {
      contiguous = tag;
      ready = tag;
    } else ahead.add(tag);
    while (ahead.delete(contiguous + 1)) {
      contiguous += 1;
      if (!skipped.delete(contiguous)) ready = contiguous;
    }
  };
  return {
    settle(tag) {
      if (tag > left) alone.push(tag);
      else enter(tag);
    },
    skip(tag) {
      if (tag > left) return;
      skipped.add(tag);
      enter(tag);
    },
    leave(tag) {
      if (tag > left) return;
      left = tag;
      for (const later of ahead) {
        if (later < tag) continue;
        ahead.delete(later);
        if (!skipped.delete(later)) alone.push(later);
      }
    },
    advance() {
      if (ready <= acknowledged) return undefined;
      acknowledged = ready;
      return ready;
    },
    singles() {
      if (alone.length === 0) return NONE;
      const tags = alone;
      alone = [];
      return tags;
    },
  };
}

const NONE: readonly number[] = [];

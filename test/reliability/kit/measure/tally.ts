/** What became of a stream of numbered messages. */
export interface TallyReport {
  readonly sent: number;
  /** Sent, never received. */
  readonly lost: number;
  readonly duplicates: number;
  /** First receptions that came after a later number of the same key. */
  readonly disordered: number;
}

/**
 * A ledger for a million messages: the numbers of each key rise one by one, so that only gaps need memory. Several can
 * watch the same messages at several targets.
 */
export interface Tally {
  /** One more message of a key arrived. */
  received(key: number, number: number): void;
  /** Different messages received so far. */
  readonly count: number;
  /** What is missing of a number of messages that were dealt to the keys in turn. */
  report(sent: number): TallyReport;
}

/** Makes a tally of messages with keys from 0 up to, not including, `keys`. */
export function createTally(keys: number): Tally {
  const next = Array.from({ length: keys }, () => 0);
  const gaps = new Set<string>();
  const counts = { received: 0, duplicates: 0, disordered: 0 };
  return {
    get count() {
      return counts.received;
    },
    received: (key, number) => {
      const expected = next[key]!;
      if (number >= expected) {
        for (let missing = expected; missing < number; missing++) gaps.add(`${key}-${missing}`);
        next[key] = number + 1;
        counts.received++;
      } else if (gaps.delete(`${key}-${number}`)) {
        counts.disordered++;
        counts.received++;
      } else {
        counts.duplicates++;
      }
    },
    report: (sent) => ({
      sent,
      lost: sent - counts.received,
      duplicates: counts.duplicates,
      disordered: counts.disordered,
    }),
  };
}

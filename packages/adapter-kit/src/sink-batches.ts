import { errorMessage, type ReceivedEvent, type Sink, type Verdict } from '@magpie/contract';

const NO_VERDICT: Verdict = { type: 'unavailable', reason: 'the sink gave no verdict' };

/**
 * The sink's verdicts, one per event, in order. If the sink rejects against its contract, nothing counts as stored;
 * missing verdicts count as not stored, so that those messages are delivered again. Never rejects.
 */
export async function judge(sink: Sink, events: readonly ReceivedEvent[]): Promise<readonly Verdict[]> {
  try {
    const verdicts = await sink(events);
    return verdicts.length === events.length ? verdicts : events.map((_, index) => verdicts[index] ?? NO_VERDICT);
  } catch (error) {
    const lost: Verdict = { type: 'unavailable', reason: errorMessage(error) };
    return events.map(() => lost);
  }
}

/**
 * Settles entries in order up to the first one that could not be stored: where acknowledgements are cumulative, no
 * later entry may be acknowledged.
 * @param settle called for each entry that was stored, is a duplicate or was refused for good.
 * @returns the reason why that first entry could not be stored; undefined when all are settled.
 */
export function settleInOrder<T>(
  entries: readonly T[],
  verdicts: readonly Verdict[],
  settle: (entry: T, verdict: Verdict) => void,
): string | undefined {
  for (const [index, entry] of entries.entries()) {
    const verdict = verdicts[index] ?? NO_VERDICT;
    if (verdict.type === 'unavailable') return verdict.reason;
    settle(entry, verdict);
  }
  return undefined;
}

/** A batch on its way to the sink, with the callback for its verdicts. */
export interface HandedBatch {
  readonly events: readonly ReceivedEvent[];
  /** Called once, after all earlier batches were settled. Must not throw. */
  settle(verdicts: readonly Verdict[]): void;
}

/**
 * Hands received items to the sink: all items of one turn of the event loop form one batch, so that one commit and one
 * acknowledgement serve them, and batches are settled in the order of receipt. The protocol's own window limits how
 * many are under way.
 */
export class SinkBatches<T> {
  readonly #hand: (batch: readonly T[]) => HandedBatch;
  readonly #most: number;
  #sink: Sink | undefined;
  #items: T[] = [];
  #scheduled = false;
  #settled: Promise<void> = Promise.resolve();

  /**
   * @param hand called with each batch as it goes to the sink. @param most maximum number of items per batch; a fuller
   * turn makes several.
   */
  constructor(hand: (batch: readonly T[]) => HandedBatch, most = 500) {
    this.#hand = hand;
    this.#most = most;
  }

  /** Sends batches to this sink from now on; items taken earlier go to the previous sink, if there was one. */
  open(sink: Sink): void {
    this.flush();
    this.#sink = sink;
    this.#schedule();
  }

  /** Stops handing over until `open`; batches already handed over are still settled. */
  close(): void {
    this.#sink = undefined;
  }

  /** Takes one item. Called per received message; never throws, never waits. */
  take(item: T): void {
    this.#items.push(item);
    this.#schedule();
  }

  /** Hands over at once all items taken so far. */
  flush(): void {
    if (!this.#sink || this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    if (items.length <= this.#most) this.#give(items, this.#sink);
    else for (let at = 0; at < items.length; at += this.#most) this.#give(items.slice(at, at + this.#most), this.#sink);
  }

  #give(batch: readonly T[], sink: Sink): void {
    const handed = this.#hand(batch);
    const verdicts = handed.events.length > 0 ? judge(sink, handed.events) : [];
    this.#settled = this.#settled.then(() => verdicts).then((list) => handed.settle(list));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Runs after all callbacks of this turn, so that its items form one batch.
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}

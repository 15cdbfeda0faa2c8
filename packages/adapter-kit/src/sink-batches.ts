import { errorMessage, type ReceivedEvent, type Sink, type Verdict } from '@magpie/contract';

const NO_VERDICT: Verdict = { type: 'unavailable', reason: 'the sink gave no verdict' };

/**
 * The sink's verdicts, one per event in their order. A sink that breaks its promise never to reject has stored nothing, and one
 * that gives too few verdicts has not stored the rest: such messages have to come again. Never rejects.
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
 * Settles entries in order up to the first one that could not be stored: on a protocol that acknowledges cumulatively nothing
 * after it may count as handled.
 * @param settle called for each that was stored, is a duplicate or was refused for good.
 * @returns why that first one could not be stored; undefined when all are settled.
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

/** A batch on its way: what of it the sink is given, and who hears the verdicts on that. */
export interface HandedBatch {
  readonly events: readonly ReceivedEvent[];
  /** Called once, after all earlier batches were settled. Must not throw. */
  settle(verdicts: readonly Verdict[]): void;
}

/**
 * The way into the log for what a link receives: everything of one turn of the event loop is one batch, so that one commit and one
 * acknowledgement serve it, and batches are settled in the order of receipt. How much is under way the protocol's own window bounds.
 */
export class SinkBatches<T> {
  readonly #hand: (batch: readonly T[]) => HandedBatch;
  readonly #most: number;
  #sink: Sink | undefined;
  #items: T[] = [];
  #scheduled = false;
  #settled: Promise<void> = Promise.resolve();

  /**
   * @param hand called with each batch as it goes to the sink.
   * @param most items of one batch; a fuller turn makes several.
   */
  constructor(hand: (batch: readonly T[]) => HandedBatch, most = 500) {
    this.#hand = hand;
    this.#most = most;
  }

  /** From now on batches go to this sink; what was taken before goes to the former one, if there was one. */
  open(sink: Sink): void {
    this.flush();
    this.#sink = sink;
    this.#schedule();
  }

  /** Hands over nothing more until `open`; verdicts on what was handed over still settle it. */
  close(): void {
    this.#sink = undefined;
  }

  /** Takes one item. Called per received message; never throws, never waits. */
  take(item: T): void {
    this.#items.push(item);
    this.#schedule();
  }

  /** Hands over at once what was taken. */
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
    // After everything of this turn, so that it becomes one batch.
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }
}

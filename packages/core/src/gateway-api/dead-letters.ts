import type { DeadLetter, DeadLetterQuery } from '@magpie/bus';
import type { BodyForms, Header } from '@magpie/contract';

/** What an operator changes in a message before it is tried again. */
export interface DeadLetterEdit extends BodyForms {
  readonly contentType?: string;
  readonly headers?: readonly Header[];
}

/** Which dead letters an operation is about. */
export type DeadLetterSelection = Omit<DeadLetterQuery, 'limit' | 'after'>;

/** What a retry of many dead letters has found. */
export interface BulkRetry {
  /** How many fit. */
  readonly matched: number;
  /** How many of them stay as they are: their target is configured no more, or they never entered the log. */
  readonly skipped: number;
}

/** The dead letters of a gateway, for operators. */
export interface DeadLetters {
  /** May give fewer than asked for to bound memory: only an empty list means that there is nothing more. */
  list(query: DeadLetterQuery): Promise<readonly DeadLetter[]>;
  get(id: string): Promise<DeadLetter | undefined>;
  /**
   * Tries one again with the routes of today, its attempts counted anew; the dead letter is removed in the same commit that
   * remembers the delivery. Throws `Rejected` when it is unknown, its target is gone, or it never entered the log.
   */
  retry(id: string, edit?: DeadLetterEdit): Promise<void>;
  /** Tries all that fit again, `rate` per second, in the background. Resolves to how many there are now. */
  retryAll(query: DeadLetterSelection, rate: number): Promise<BulkRetry>;
  /** How many `retryAll` still has before it. */
  retrying(): number;
  /** Removes one for ever; false when it is unknown. */
  drop(id: string): Promise<boolean>;
  /** Removes all that fit; resolves to how many. */
  dropAll(query: DeadLetterSelection): Promise<number>;
  /** Ends what runs in the background. */
  stop(): void;
}

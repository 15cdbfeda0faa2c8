import type { DeadLetterQuery, KnownConsumer, OrphanedConsumer } from '../../contract.ts';
import type { WireDeadLetter, WireException, WireOutcome } from './writer.ts';

/** An event as the reader hands it over; each record has its own buffer and is transferred. */
export interface WireEvent {
  readonly position: number;
  readonly record: Uint8Array<ArrayBuffer>;
}

/** All that is kept besides the events, for the start of a gateway. Positions are row numbers. */
export interface WireState {
  readonly matched: number | undefined;
  readonly consumers: readonly (KnownConsumer & { readonly consumer: string })[];
  readonly floors: readonly { readonly consumer: string; readonly floor: number; readonly waiting: number | null }[];
  readonly exceptions: readonly WireException[];
  /** Of the dead letters that their consumer would come to again, see `LogState.dead`. */
  readonly letters: readonly { readonly consumer: string; readonly position: number }[];
}

/** Counts of a log. `oldest` is the row of the oldest event. */
export interface WireStats {
  readonly events: number;
  readonly bytes: number;
  readonly deadLetters: number;
  readonly oldest: number | undefined;
}

/** The questions the reader thread answers. */
export interface ReaderCalls {
  read: { question: { readonly after: number; readonly limit: number }; answer: readonly WireEvent[] };
  readBack: { question: { readonly before: number; readonly limit: number }; answer: readonly WireEvent[] };
  find: { question: { readonly ref: string }; answer: WireEvent | undefined };
  positionBefore: { question: { readonly time: number }; answer: number | undefined };
  state: { question: undefined; answer: WireState };
  lowestFloor: { question: { readonly orphanedBefore: number }; answer: number | undefined };
  orphans: { question: undefined; answer: readonly OrphanedConsumer[] };
  deadLetters: { question: DeadLetterQuery; answer: readonly WireDeadLetter[] };
  deadLetter: { question: { readonly id: string }; answer: WireDeadLetter | undefined };
  outcomes: { question: { readonly ref: string }; answer: readonly WireOutcome[] };
  stats: { question: undefined; answer: WireStats };
  checkpoint: { question: undefined; answer: undefined };
  close: { question: undefined; answer: undefined };
}

/** One question; `id` comes back in the answer. */
export type ReaderRequest = {
  [Name in keyof ReaderCalls]: {
    readonly id: number;
    readonly name: Name;
    readonly question: ReaderCalls[Name]['question'];
  };
}[keyof ReaderCalls];

/** Answer to the request with this id. After a `fatal` error the log cannot be trusted. */
export type ReaderReply =
  | { readonly id: number; readonly type: 'answer'; readonly answer: unknown }
  | { readonly id: number; readonly type: 'error'; readonly message: string; readonly fatal: boolean };

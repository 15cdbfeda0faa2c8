import type { DeadLetterQuery, EventFilter, KnownConsumer, OrphanedConsumer } from '../../contract/index.ts';
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

/** Which page of events to read, from a row on (exclusive), and how much of it. */
export interface PageRequest {
  readonly from: number;
  readonly back: boolean;
  readonly limit: number;
  /** Bytes of records beyond the first. */
  readonly maxBytes: number;
}

/** A slice of a search: what the reader thread looks at before it turns to other questions. */
export interface SearchRequest extends PageRequest {
  readonly filter: EventFilter;
  readonly maxScan: number;
  /** Nothing has been found yet: the first event may be of more than `maxBytes`. */
  readonly isFirst: boolean;
}

/** What a slice has found. */
export interface WireFound {
  readonly events: readonly WireEvent[];
  /** The last row looked at; undefined when there was none. */
  readonly reached: number | undefined;
  readonly scanned: number;
  /** Why it has ended: nothing more, enough found, or enough for one slice. */
  readonly ended: 'end' | 'full' | 'slice';
}

/** The questions the reader thread answers. */
export interface ReaderCalls {
  /** The first question, asked as soon as the writer has opened the log. */
  open: { question: undefined; answer: undefined };
  read: { question: PageRequest; answer: readonly WireEvent[] };
  search: { question: SearchRequest; answer: WireFound };
  find: { question: { readonly ref: string }; answer: WireEvent | undefined };
  positionBefore: { question: { readonly time: number }; answer: number | undefined };
  state: { question: undefined; answer: WireState };
  lowestFloor: { question: { readonly orphanedBefore: number }; answer: number | undefined };
  orphans: { question: undefined; answer: readonly OrphanedConsumer[] };
  values: { question: { readonly connection: string }; answer: readonly (readonly [key: string, value: string])[] };
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

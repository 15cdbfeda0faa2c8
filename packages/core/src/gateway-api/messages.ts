import type { Attempt, Outcome, Position, StoredEvent } from '@magpie/bus';
import type { BodyForms, Header, TraceContext } from '@magpie/contract';

/** What became of a published event. */
export type PublishResult =
  | {
      readonly type: 'stored';
      readonly ref: string;
      readonly position: Position;
      /** Of an event that awaits it: whether all targets have it in the end. */
      readonly delivered?: Promise<boolean>;
    }
  | { readonly type: 'duplicate' | 'mismatch'; readonly ref: string; readonly position: Position }
  | { readonly type: 'refused'; readonly reason: string }
  | {
      readonly type: 'unavailable';
      /** `disk`: too little space; `backlog`: a target it feeds is full; `failed`: the log can no longer be trusted. */
      readonly cause: 'disk' | 'backlog' | 'failed';
      readonly reason: string;
      /** ms */
      readonly retryAfter: number;
    };

/** A message for one target named by connection and native words, delivered without any route. */
export interface DirectMessage extends BodyForms {
  /** `{ connection, …native words, …options }`. */
  readonly to: Readonly<Record<string, unknown>>;
  /** Who sends it. */
  readonly principal?: string;
  readonly headers?: readonly Header[];
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly correlationId?: string;
  readonly replyTo?: string;
  /** Ordering key among the direct sends by this connection; default the address. */
  readonly key?: string;
  readonly retain?: boolean;
  readonly trace?: TraceContext;
  /** Gateways passed, for the loop guard. */
  readonly via?: readonly string[];
  /** When the sender says it happened, ms since the epoch; default now. */
  readonly time?: number;
  readonly expiresAt?: number;
  readonly priority?: number;
  readonly id?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly dedupeKey?: string;
  readonly dedupeContent?: string;
}

/** One page of history. It ends early where its events are large, or where few pass the filter. */
export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Where the next page goes on; undefined at the end of the log. */
  readonly next: Position | undefined;
  /** Number of events looked at. */
  readonly scanned: number;
}

/** A live read of the log from a position on. */
export interface EventSubscription {
  /** Lets `count` more events through. Without credit nothing is sent and nothing is buffered: the log is the buffer. */
  credit(count: number): void;
  /** Lets nothing more through until `resume`, whatever the credit; the batch just handed over was the last. */
  pause(): void;
  resume(): void;
  /** Stops it; no callback runs afterwards. */
  close(): void;
}

/** Callbacks of a subscription. `events` come in log order, at most as many as there is credit for. */
export interface SubscriptionSink {
  events(batch: readonly StoredEvent[]): void;
  /** Events after the position asked for may have been removed: reading goes on at the oldest kept event. */
  gap(from: Position, to: Position): void;
  /** Reading failed for good. */
  failed(error: Error): void;
}

/** The state of one target of a message, for `GET /v1/messages/{ref}`. */
export interface TargetStatus {
  readonly consumer: string;
  readonly connection: string;
  /** `held`: it, or an earlier one of its key, was refused; `blocked`: it is out of attempts and waits for an operator. */
  readonly state: 'waiting' | 'in-flight' | 'held' | 'blocked' | Outcome['state'];
  readonly attempts: number;
  readonly at?: number;
  readonly confirmedBy?: string;
  readonly nextAttempt?: number;
  readonly error?: string;
  /** The attempts that were refused, the oldest first, as far as they are known: not of one that was confirmed after all. */
  readonly failures?: readonly Attempt[];
}

export interface MessageStatus {
  readonly event: StoredEvent;
  readonly targets: readonly TargetStatus[];
}

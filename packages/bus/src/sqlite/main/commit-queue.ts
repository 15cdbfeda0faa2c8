import { Throttled } from '@magpie/contract';
import { type Appended, type Commit, LogFailed } from '../../contract/index.ts';
import type { DedupeClock } from '../../shared/dedupe-clock.ts';
import type { Positions } from '../../shared/positions.ts';
import type { WireBatch, WireResult } from '../protocol/writer.ts';
import { createBatchPacker, verdictsOf } from './pack-batch.ts';

/** Bodies and commits that go into one transaction at the most. */
const BATCH = { bytes: 32 * 1024 * 1024, commits: 8192 } as const;
/** `retryAfter` of a throttled caller, in ms; also the interval at which the disk is checked. */
const RETRY_AFTER_MS = 1000;
/** How long commits that need room wait before they are tried again, in ms. */
const HELD_MS = 250;

interface Pending {
  readonly change: Commit;
  /** Why it must not go to the writer. */
  readonly error: Error | undefined;
  resolve(verdicts: readonly Appended[]): void;
  reject(error: Error): void;
}

/** Commits on their way to the writer: one batch is written, what arrives meanwhile is the next (group commit). */
export interface CommitQueue {
  commit(change: Commit): Promise<readonly Appended[]>;
  /**
   * The writer's answer to the batch in flight. Once an append was throttled, no other goes to the writer until `hasRoom`: what
   * its caller sends before it knows must not overtake it.
   */
  written(results: readonly WireResult[]): void;
  /** The writer takes appends again. Appends made before this call are still throttled. */
  hasRoom(): void;
  /** Rejects everything, now and from now on. */
  fail(error: LogFailed): void;
  /** Takes no more; resolves when everything has been answered. */
  drain(): Promise<void>;
  /** Number of the last stored row, 0 when there never was one. */
  head(): number;
}

/** What a commit queue works with. */
export interface CommitQueueOptions {
  readonly positions: Positions;
  readonly dedupeClock: Pick<DedupeClock, 'now' | 'lowest' | 'horizon'>;
  /** Row of the next append. */
  readonly next: number;
  readonly lastReceived: number;
  send(batch: WireBatch): void;
  /** Calls back after so many ms; the result cancels. */
  timeout(ms: number, callback: () => void): () => void;
}

/** Makes the queue of a log. One per writer thread, made when that is ready. */
export function createCommitQueue(options: CommitQueueOptions): CommitQueue {
  const { positions } = options;
  const packer = createBatchPacker(positions, options.lastReceived, options.dedupeClock);
  let waiting: Pending[] = [];
  let inFlight: readonly Pending[] | undefined;
  /** Answers appends while they are throttled. */
  let throttling: Throttled | undefined;
  let head = options.next - 1;
  let refusal: LogFailed | undefined;
  let scheduled = false;
  let cancelRetry: (() => void) | undefined;
  let drained: (() => void) | undefined;

  const flush = (): void => {
    scheduled = false;
    if (inFlight !== undefined || waiting.length === 0) return;
    const group = waiting.splice(0, groupSize(waiting));
    const sound = group.filter(({ error }) => error === undefined);
    const { batch, errors } = packer.pack(sound.map(({ change }) => change));
    let next = 0;
    inFlight = group.map((entry) => ({ ...entry, error: entry.error ?? errors[next++] }));
    options.send(batch);
  };
  /**
   * Once the caller is done, so that what it commits at once shares a transaction. Not at the end of the loop turn: the disk
   * would idle meanwhile, and senders that are answered together send together again.
   */
  const schedule = (): void => {
    if (scheduled || inFlight !== undefined) return;
    scheduled = true;
    queueMicrotask(flush);
  };
  const endTurn = (held: readonly Pending[] = []): void => {
    inFlight = undefined;
    const others = waiting.length > 0;
    waiting = [...held, ...waiting];
    if (others) schedule();
    else if (held.length > 0) {
      cancelRetry?.();
      cancelRetry = options.timeout(HELD_MS, schedule);
    } else drained?.();
  };
  const throttle = (error: Throttled): void => {
    throttling = error;
    waiting = waiting.map((entry) => (isAppend(entry.change) ? { ...entry, error: entry.error ?? error } : entry));
  };
  return {
    commit: (change) =>
      new Promise((resolve, reject) => {
        if (refusal !== undefined) return reject(refusal);
        waiting.push({ change, resolve, reject, error: isAppend(change) ? throttling : undefined });
        schedule();
      }),
    written: (results) => {
      const { stored, held, throttled } = answer(inFlight ?? [], results, positions);
      head += stored;
      if (throttled) throttle(throttled);
      // Closing the log does not wait for room on the disk.
      if (drained) for (const { reject, result } of held) reject(refusedError(result));
      endTurn(drained ? [] : held);
    },
    hasRoom: () => {
      throttling = undefined;
    },
    fail: (error) => {
      refusal = error;
      cancelRetry?.();
      for (const { reject } of [...(inFlight ?? []), ...waiting]) reject(error);
      waiting = [];
      endTurn();
    },
    drain: () => {
      refusal ??= new LogFailed('the log is closed');
      return new Promise((resolve) => {
        drained = resolve;
        if (waiting.length > 0) schedule();
        else if (inFlight === undefined) resolve();
      });
    },
    head: () => head,
  };
}

/** What a batch came to: the number of events stored, and the commits that must wait for room on the disk. */
interface Answered {
  readonly stored: number;
  readonly held: readonly (Pending & { readonly result: Refused })[];
  /** The error of the appends that found no room. */
  readonly throttled: Throttled | undefined;
}

type Refused = Exclude<WireResult, { type: 'done' }>;

/** Answers the commits of a batch in order. Delivery state has no sender that could retry it, so it is held until there is room. */
function answer(batch: readonly Pending[], results: readonly WireResult[], positions: Positions): Answered {
  const held: (Pending & { readonly result: Refused })[] = [];
  let throttled: Throttled | undefined;
  let stored = 0;
  let next = 0;
  for (const entry of batch) {
    if (entry.error !== undefined) {
      entry.reject(entry.error);
      continue;
    }
    const result = results[next++]!;
    if (result.type !== 'throttled') stored += settle(entry, result, positions);
    else if (isAppend(entry.change)) {
      throttled ??= throttledBy(result);
      entry.reject(throttled);
    } else held.push({ ...entry, result });
  }
  return { stored, held, throttled };
}

const isAppend = ({ append }: Commit): boolean => append !== undefined && append.length > 0;

/** Settles a caller's commit with its result; returns how many events were stored. */
function settle({ change, resolve, reject }: Pending, result: WireResult, positions: Positions): number {
  if (result.type !== 'done') {
    reject(refusedError(result));
    return 0;
  }
  const verdicts = verdictsOf(result, change.append?.length ?? 0, positions);
  resolve(verdicts);
  return verdicts.filter(({ type }) => type === 'stored').length;
}

const throttledBy = ({ message }: Refused): Throttled => new Throttled(message, RETRY_AFTER_MS);

const refusedError = (refused: Refused): Error =>
  refused.type === 'throttled'
    ? throttledBy(refused)
    : new Error(`the log could not take the commit: ${refused.message}`);

/** How many of the waiting commits fit into one transaction, at least one. */
function groupSize(waiting: readonly Pending[]): number {
  let bytes = 0;
  const limit = Math.min(waiting.length, BATCH.commits);
  for (let index = 0; index < limit; index++) {
    for (const { event } of waiting[index]!.change.append ?? []) bytes += event.body.byteLength;
    if (bytes > BATCH.bytes) return Math.max(1, index);
  }
  return limit;
}

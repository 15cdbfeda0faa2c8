import { setImmediate } from 'node:timers';
import { Throttled } from '@magpie/contract';
import { type Appended, type Commit, LogFailed } from './contract.ts';
import type { BatchTime, WireBatch, WireResult } from './messages.ts';
import { createBatchPacker, verdictsOf } from './pack-batch.ts';
import type { Positions } from './positions.ts';

/** Bodies and commits that go into one transaction at the most. */
const BATCH = { bytes: 32 * 1024 * 1024, commits: 8192 } as const;
/** What a throttled caller is told to wait, in ms; the disk is looked at as often. */
const RETRY_AFTER_MS = 1000;
/** How long commits that need room wait before they are tried again, in ms. */
const HELD_MS = 250;

interface Pending {
  readonly change: Commit;
  resolve(verdicts: readonly Appended[]): void;
  reject(error: Error): void;
}

interface InFlight extends Pending {
  /** Why it never went to the writer. */
  readonly error: Error | undefined;
}

/** Commits on their way to the writer: one batch is written, what arrives meanwhile is the next (group commit). */
export interface CommitQueue {
  commit(change: Commit): Promise<readonly Appended[]>;
  /** The writer's answer to the batch in flight. */
  written(results: readonly WireResult[]): void;
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
  now(): BatchTime;
  /** Row of the next append. */
  readonly next: number;
  readonly lastReceived: number;
  send(batch: WireBatch): void;
}

/** Makes the queue of a log. One per writer thread, made when that is ready. */
export function createCommitQueue(options: CommitQueueOptions): CommitQueue {
  const { positions, now } = options;
  const packer = createBatchPacker(positions, options.lastReceived);
  let waiting: Pending[] = [];
  let flying: readonly InFlight[] | undefined;
  let head = options.next - 1;
  let refusal: LogFailed | undefined;
  let scheduled = false;
  let retry: NodeJS.Timeout | undefined;
  let drained: (() => void) | undefined;

  const flush = (): void => {
    scheduled = false;
    if (flying !== undefined || waiting.length === 0) return;
    const group = waiting.splice(0, groupSize(waiting));
    const { batch, errors } = packer.pack(
      group.map(({ change }) => change),
      now(),
    );
    flying = group.map((entry, index) => ({ ...entry, error: errors[index] }));
    options.send(batch);
  };
  /** At the end of the loop turn, so that everything received in one turn shares a transaction. */
  const schedule = (): void => {
    if (scheduled || flying !== undefined) return;
    scheduled = true;
    setImmediate(flush);
  };
  const endTurn = (held: readonly Pending[] = []): void => {
    flying = undefined;
    const others = waiting.length > 0;
    waiting = [...held, ...waiting];
    if (others) schedule();
    else if (held.length > 0) {
      clearTimeout(retry);
      retry = setTimeout(schedule, HELD_MS);
    } else drained?.();
  };
  return {
    commit: (change) =>
      new Promise((resolve, reject) => {
        if (refusal !== undefined) return reject(refusal);
        waiting.push({ change, resolve, reject });
        schedule();
      }),
    written: (results) => {
      const { stored, held } = answer(flying ?? [], results, positions);
      head += stored;
      // Whoever closes the log does not wait for room on the disk.
      if (drained) for (const { reject, result } of held) reject(refusedError(result));
      endTurn(drained ? [] : held);
    },
    fail: (error) => {
      refusal = error;
      clearTimeout(retry);
      for (const { reject } of [...(flying ?? []), ...waiting]) reject(error);
      waiting = [];
      endTurn();
    },
    drain: () => {
      refusal ??= new LogFailed('the log is closed');
      return new Promise((resolve) => {
        drained = resolve;
        if (waiting.length > 0) schedule();
        else if (flying === undefined) resolve();
      });
    },
    head: () => head,
  };
}

/** What a batch came to: the number of events stored, and the commits that must wait for room on the disk. */
interface Answered {
  readonly stored: number;
  readonly held: readonly (Pending & { readonly result: Refused })[];
}

type Refused = Exclude<WireResult, { type: 'done' }>;

/** Answers the commits of a batch in order. Nobody can be told to come back with what happened to deliveries: that is held. */
function answer(batch: readonly InFlight[], results: readonly WireResult[], positions: Positions): Answered {
  const held: (Pending & { readonly result: Refused })[] = [];
  let stored = 0;
  let next = 0;
  for (const { error, ...entry } of batch) {
    if (error !== undefined) {
      entry.reject(error);
      continue;
    }
    const result = results[next++]!;
    if (result.type === 'throttled' && !entry.change.append?.length) held.push({ ...entry, result });
    else stored += settle(entry, result, positions);
  }
  return { stored, held };
}

/** Tells a caller what became of its commit; returns how many events were stored. */
function settle({ change, resolve, reject }: Pending, result: WireResult, positions: Positions): number {
  if (result.type !== 'done') {
    reject(refusedError(result));
    return 0;
  }
  const verdicts = verdictsOf(result, change.append?.length ?? 0, positions);
  resolve(verdicts);
  return verdicts.filter(({ type }) => type === 'stored').length;
}

const refusedError = ({ type, message }: Refused): Error =>
  type === 'throttled'
    ? new Throttled(message, RETRY_AFTER_MS)
    : new Error(`the log could not take the commit: ${message}`);

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

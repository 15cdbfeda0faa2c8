import { Worker } from 'node:worker_threads';
import { LogFailed, LogLocked, LogRefused, type LogSpace } from '../../contract/index.ts';
import type { SavedClock } from '../../shared/dedupe-clock.ts';
import type {
  RetainRequest,
  WireBatch,
  WireResult,
  WriterReady,
  WriterReply,
  WriterRequest,
} from '../protocol/writer.ts';
import type { WriterData } from '../writer/thread.ts';

/** What the writer thread reports besides answers to questions. */
export interface WriterEvents {
  written(results: readonly WireResult[]): void;
  checkpointDue(): void;
  /** The room on the disk has changed. Comes unasked. */
  space(space: LogSpace): void;
  /** The log has failed for good, or could not be opened. */
  failed(error: LogFailed | LogRefused | LogLocked): void;
}

/** The main thread's side of the writer thread. */
export interface WriterClient {
  readonly ready: WriterReady;
  write(batch: WireBatch): void;
  retain(limits: Omit<RetainRequest, 'type' | 'id'>): Promise<number>;
  /** Saves the clock, closes the database and ends the thread. Returns whether the write-ahead log has been merged. */
  close(clock: SavedClock): Promise<boolean>;
}

const WRITER_FILE = new URL(
  import.meta.url.endsWith('.ts') ? '../writer/thread.ts' : '../writer/thread.js',
  import.meta.url,
);

/**
 * Starts the writer thread; resolves when it has opened the log. Rejects with `LogFailed`, `LogRefused` or
 * `LogLocked` when it cannot. The thread
 * keeps the process alive only while it owes an answer.
 */
export async function startWriter(data: WriterData, events: WriterEvents): Promise<WriterClient> {
  const worker = new Worker(WRITER_FILE, { workerData: data });
  const retentions = createRetentions();
  const ready = Promise.withResolvers<WriterReady>();
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let owed = 1;
  let closing = false;
  let isMerged = false;

  const answered = (): void => {
    if (--owed === 0 && !closing) worker.unref();
  };
  const send = (request: WriterRequest, transfer: ArrayBuffer[] = []): void => {
    if (owed++ === 0) worker.ref();
    worker.postMessage(request, transfer);
  };
  const failed = (error: LogFailed | LogRefused | LogLocked): void => {
    ready.reject(error);
    retentions.rejectAll(error);
    events.failed(error);
  };
  const handle = (reply: WriterReply): void => {
    if (reply.type === 'space') events.space(reply.space);
    else answered();
    if (reply.type === 'ready') ready.resolve(reply);
    else if (reply.type === 'retained') retentions.resolve(reply.id, reply.removed);
    else if (reply.type === 'written') {
      events.written(reply.results);
      if (reply.checkpointDue) events.checkpointDue();
    } else if (reply.type === 'failed') failed(new ERRORS[reply.why](reply.message));
    else if (reply.type === 'closed') isMerged = reply.isMerged;
  };
  worker.on('message', handle);
  worker.on('error', (error) => failed(new LogFailed(`the log's writer thread failed: ${error.message}`)));
  worker.on('exit', () => {
    if (closing) retentions.rejectAll(new LogFailed('the log is closed'));
    else failed(new LogFailed("the log's writer thread has ended"));
  });
  try {
    return {
      ready: await ready.promise,
      write: (batch) => send(batch, [batch.records, batch.ends.buffer, batch.received.buffer]),
      retain: (limits) => retentions.start((id) => send({ type: 'retain', id, ...limits })),
      close: async (clock) => {
        closing = true;
        send({ type: 'close', clock });
        await exited;
        return isMerged;
      },
    };
  } catch (error) {
    closing = true;
    await worker.terminate();
    throw error;
  }
}

const ERRORS = { failed: LogFailed, refused: LogRefused, locked: LogLocked } as const;

/** Retention runs that have not been answered. */
function createRetentions() {
  const waiting = new Map<number, { resolve(removed: number): void; reject(error: Error): void }>();
  let next = 0;
  return {
    start: (send: (id: number) => void): Promise<number> =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve, reject });
        send(id);
      }),
    resolve: (id: number, removed: number): void => {
      waiting.get(id)?.resolve(removed);
      waiting.delete(id);
    },
    rejectAll: (error: Error): void => {
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}

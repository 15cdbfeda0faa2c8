import { Worker } from 'node:worker_threads';
import { LogFailed } from '../../contract/index.ts';
import type { ReaderCalls, ReaderReply } from '../protocol/reader.ts';
import type { ReaderData } from '../reader/thread.ts';

/** The main thread's side of the reader thread. */
export interface ReaderClient {
  /** Asks a question. Rejects with `LogFailed` when the log is damaged or closed, else with the database's message. */
  ask<Name extends keyof ReaderCalls>(
    name: Name,
    question: ReaderCalls[Name]['question'],
  ): Promise<ReaderCalls[Name]['answer']>;
  /** Opens the database. Called once, before any question, when the writer has made it. */
  open(): Promise<void>;
  /** Closes the database and ends the thread. Idempotent. */
  close(): Promise<void>;
  /** Ends the thread of a log that could not be opened. */
  terminate(): Promise<void>;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

const READER_FILE = new URL(
  import.meta.url.endsWith('.ts') ? '../reader/thread.ts' : '../reader/thread.js',
  import.meta.url,
);

/** Starts the reader thread. `onFailed` is called for a damaged log. The thread keeps the process alive only while asked. */
export function startReader(data: ReaderData, onFailed: (error: LogFailed) => void): ReaderClient {
  const worker = new Worker(READER_FILE, { workerData: data });
  worker.unref();
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let ended: LogFailed | undefined;

  const settle = (id: number): Waiting | undefined => {
    const entry = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    return entry;
  };
  const end = (error: LogFailed): void => {
    ended ??= error;
    for (const id of [...waiting.keys()]) settle(id)?.reject(ended);
  };
  worker.on('message', (reply: ReaderReply) => {
    const entry = settle(reply.id);
    if (reply.type === 'answer') return entry?.resolve(reply.answer);
    if (!reply.fatal) return entry?.reject(new Error(reply.message));
    const error = new LogFailed(`reading the log failed: ${reply.message}`);
    onFailed(error);
    entry?.reject(error);
  });
  worker.on('error', (error) => {
    const failed = new LogFailed(`the log's reader thread failed: ${error.message}`, { cause: error });
    onFailed(failed);
    end(failed);
  });
  worker.on('exit', () => end(new LogFailed('the log is closed')));
  const ask: ReaderClient['ask'] = (name, question) =>
    new Promise((resolve, reject) => {
      if (ended !== undefined) return reject(ended);
      if (waiting.size === 0) worker.ref();
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, name, question });
    });
  return {
    ask,
    open: async () => void (await ask('open', undefined)),
    close: async () => {
      if (ended !== undefined) return;
      await ask('close', undefined);
      end(new LogFailed('the log is closed'));
    },
    terminate: async () => {
      await worker.terminate();
    },
  };
}

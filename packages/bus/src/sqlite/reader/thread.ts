import type { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { filesIn } from '../directory/files.ts';
import { openForReading } from '../file/database.ts';
import { classify, describeError } from '../file/sqlite-errors.ts';
import type { ReaderReply, ReaderRequest, WireEvent } from '../protocol/reader.ts';
import { createReaderStore, type ReaderStore } from './questions.ts';

/** What the reader thread is started with. */
export interface ReaderData {
  readonly dataDir: string;
}

function answer(store: ReaderStore, request: Exclude<ReaderRequest, { name: 'open' | 'close' }>): unknown {
  switch (request.name) {
    case 'read':
      return store.read(request.question);
    case 'search':
      return store.search(request.question);
    case 'find':
      return store.find(request.question);
    case 'positionBefore':
      return store.positionBefore(request.question);
    case 'state':
      return store.state(request.question);
    case 'lowestFloor':
      return store.lowestFloor(request.question);
    case 'orphans':
      return store.orphans(request.question);
    case 'values':
      return store.values(request.question);
    case 'deadLetters':
      return store.deadLetters(request.question);
    case 'deadLetter':
      return store.deadLetter(request.question);
    case 'outcomes':
      return store.outcomes(request.question);
    case 'stats':
      return store.stats(request.question);
    case 'checkpoint':
      return store.checkpoint(request.question);
  }
}

const isEvent = (value: unknown): value is WireEvent =>
  typeof value === 'object' && value !== null && 'record' in value && 'position' in value && !('detail' in value);

const eventsOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'events' in value ? value.events : value;

/** Buffers of the events in an answer, which are handed over instead of copied. */
const buffersIn = (value: unknown): ArrayBuffer[] =>
  [eventsOf(value)]
    .flat()
    .filter(isEvent)
    .map(({ record }) => record.buffer);

const port = parentPort;
if (port === null) throw new Error('the log reader is a worker thread, it cannot be started as a program');
const { dataDir }: ReaderData = workerData;
let db: DatabaseSync | undefined;
let store: ReaderStore | undefined;

function handle(request: ReaderRequest): unknown {
  if (request.name === 'open') {
    db = openForReading(filesIn(dataDir));
    store = createReaderStore(db);
  } else if (request.name === 'close') db?.close();
  else if (store) return answer(store, request);
  else throw new Error(`"${request.name}" was asked before the log was open`);
  return undefined;
}

port.on('message', (request: ReaderRequest) => {
  const { id } = request;
  const reply = (message: ReaderReply, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);
  try {
    const value = handle(request);
    reply({ id, type: 'answer', answer: value }, buffersIn(value));
  } catch (error) {
    reply({ id, type: 'error', message: describeError(error), fatal: classify(error) === 'fatal' });
  }
  if (request.name === 'close') port.close();
});

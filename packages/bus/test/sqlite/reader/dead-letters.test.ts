import { newRef } from '@magpie/contract';
import { expect, it, onTestFinished } from 'vitest';
import { type DeadLetter, openLog } from '../../../src/index.ts';
import { filesIn } from '../../../src/sqlite/directory/files.ts';
import { openForReading } from '../../../src/sqlite/file/database.ts';
import { createReaderStore } from '../../../src/sqlite/reader/questions.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

const MIB = 1024 * 1024;

const letter = (bytes: number): DeadLetter => ({
  id: newRef(),
  at: 1,
  consumer: 'alarms/chat',
  reason: 'rejected',
  error: 'Rejected',
  message: 'no such room',
  attempts: [],
  event: {
    ref: newRef(),
    source: 's',
    address: { scheme: 'topic', segments: ['a'] },
    kind: 'message',
    key: 'a',
    time: 1,
    receivedAt: 1,
    body: new Uint8Array(bytes),
    headers: [],
    via: [],
    origin: {},
  },
});

it('a list of dead letters takes no more memory than a few bodies, and at least one', async () => {
  const { path, remove } = temporaryDirectory();
  const log = await openLog({ store: 'sqlite', dataDir: path, reserveBytes: 0, minFreeBytes: 0 });
  onTestFinished(async () => {
    await log.close();
    remove();
  });
  for (let count = 0; count < 16; count++) await log.commit({ deadLetters: { put: [letter(MIB)] } });
  const few = await log.deadLetters({ limit: 200 });
  expect(few.length).toBeGreaterThan(1);
  expect(few.length).toBeLessThan(12);
  await log.commit({ deadLetters: { remove: few.map(({ id }) => id), put: [letter(10 * MIB)] } });
  expect(await log.deadLetters({ limit: 1 })).toHaveLength(1);
});

it('the state reads only the dead letters that a consumer would come to again, not all there are', async () => {
  const { path, remove } = temporaryDirectory();
  const log = await openLog({ store: 'sqlite', dataDir: path, reserveBytes: 0, minFreeBytes: 0 });
  onTestFinished(remove);
  const { event } = letter(10);
  const appended = await log.commit({ append: Array.from({ length: 9 }, () => ({ event })) });
  const places = appended.map(({ position }) => position);
  const dead = (consumer: string, index: number): DeadLetter => ({ ...letter(10), consumer, position: places[index]! });
  const row = { consumer: 'idle', lane: 'a', position: places[1]!, state: 'retry', attempts: [], event } as const;
  const old = Array.from({ length: 300 }, (_, index) => dead(index % 2 === 0 ? 'busy' : 'idle', index % 3));
  await log.commit({
    matched: places[6]!,
    floors: [{ consumer: 'busy', floor: places[3]! }],
    exceptions: { put: [row] },
    deadLetters: { put: [...old, dead('busy', 4), dead('idle', 5), dead('idle', 7), dead('idle', 7), letter(10)] },
  });
  await log.commit({ deadLetters: { put: [{ ...letter(10), position: places[8]! }] } });
  const expected = { 'alarms/chat': [places[8]], busy: [places[4]], idle: [places[1], places[7]] };
  const found = async () => [...(await log.state()).dead].map(([consumer, set]) => [consumer, [...set].toSorted()]);
  expect(Object.fromEntries(await found())).toEqual(expected);
  await log.close();
  const db = openForReading(filesIn(path));
  onTestFinished(() => db.close());
  expect(createReaderStore(db).state(undefined).letters).toHaveLength(4);
});

import { newRef } from '@magpie/contract';
import { expect, it, onTestFinished } from 'vitest';
import { type DeadLetter, openSqliteLog } from '../src/index.ts';
import { temporaryDirectory } from './temporary.ts';

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
  const log = await openSqliteLog({ dataDir: path, reserveBytes: 0, minFreeBytes: 0 });
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

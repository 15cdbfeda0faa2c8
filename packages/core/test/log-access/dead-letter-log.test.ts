import { createMemoryLog } from '@magpie/bus';
import { createLineLogger, type Event, Rejected, systemClock } from '@magpie/contract';
import { expect, it } from 'vitest';
import { deadLetter } from '../../src/log-access/dead-letter.ts';
import { withDeadLetterLog } from '../../src/log-access/dead-letter-log.ts';
import { createStateWriter } from '../../src/log-access/state-writer.ts';
import { manualClock } from '../fixtures.ts';

const event: Event = {
  ref: 'r1',
  source: 'floor',
  address: { scheme: 'channel', segments: ['a'] },
  kind: 'message',
  key: 'k',
  time: 0,
  receivedAt: 0,
  body: Buffer.from('secret body'),
  headers: [],
  via: [],
  origin: {},
};

it('a dead letter is a line of the log with connection, target, reason and ref; many are a few lines and a count', async () => {
  const lines: [string, object, string][] = [];
  const logger = createLineLogger((level, fields, message) => void lines.push([level, fields, message]));
  const clock = manualClock();
  const log = createMemoryLog({});
  const fatal = (error: Error): never => {
    throw error;
  };
  const writer = withDeadLetterLog(createStateWriter(log, systemClock, fatal), logger, clock);
  const write = (count: number): Promise<unknown> => {
    const letters = Array.from({ length: count }, () =>
      deadLetter({ at: 1, event, consumer: 'out/room', reason: 'rejected', error: new Rejected('no such room') }),
    );
    return writer.commit({ deadLetters: { put: letters } });
  };
  await write(1);
  expect(lines).toEqual([
    [
      'warn',
      { connection: 'floor', target: 'out/room', ref: 'r1', reason: 'rejected', error: 'Rejected' },
      'a message for out/room is a dead letter (rejected): no such room',
    ],
  ]);
  await write(1000);
  expect(lines).toHaveLength(5);
  await clock.advance(61_000);
  await write(1);
  expect(lines.at(-1)?.[2]).toBe(
    'a message for out/room is a dead letter (rejected): no such room (and 996 more before)',
  );
  expect(JSON.stringify(lines)).not.toContain('secret');
  writer.close();
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import { newRef } from '@magpie/contract';
import { expect, it, onTestFinished } from 'vitest';
import { openLog } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

/** When the log of the fixture was written; its four events are 1 ms apart. */
const WRITTEN = 1_790_000_000_000;
const OPENED = WRITTEN + 60_000;

/** A directory with a log that schema version 1 wrote: four events, a floor, an exception, a dead letter, an outcome. */
function formerLog(): string {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  const fixture = readFileSync(new URL('./fixtures/log-schema-1.db.gz', import.meta.url));
  writeFileSync(join(path, 'log.db'), gunzipSync(fixture));
  return path;
}

async function open(dataDir: string, now = OPENED) {
  const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0, clock: { now: () => now } });
  onTestFinished(() => log.close());
  return log;
}

it('opens a log of schema version 1 with everything it holds', async () => {
  const log = await open(formerLog());
  const events = await log.read(undefined, 10);
  expect(events.map(({ event: { body } }) => Buffer.from(body).toString())).toEqual(
    [1, 2, 3, 4].map((n) => `{"n":${n}}`),
  );
  expect(events.map(({ event }) => event.receivedAt - WRITTEN)).toEqual([1, 2, 3, 4]);
  const [first, second, third, fourth] = events;
  const state = await log.state();
  expect(state.matched).toBe(third?.position);
  expect(state.floors).toEqual(new Map([['alarms/busy', first?.position]]));
  expect(state.waiting, 'version 1 did not note it').toEqual(new Map());
  expect(state.exceptions).toMatchObject([
    { consumer: 'alarms/held', position: second?.position, state: 'retry', nextAttempt: WRITTEN + 5000 },
  ]);
  expect(await log.deadLetters({ limit: 10 })).toMatchObject([{ consumer: 'alarms/held', message: 'no such room' }]);
  expect(await log.outcomes(first!.event.ref)).toMatchObject([{ consumer: 'alarms/busy', state: 'confirmed' }]);
  expect(log.head()).toBe(fourth?.position);
  const repeat = { ...fourth!.event, ref: newRef() };
  expect(await log.commit({ append: [{ event: repeat }] })).toEqual([
    { type: 'duplicate', position: fourth?.position, ref: fourth?.event.ref },
  ]);
});

it('knows the consumers that had a floor or an exception from the time of the first opening on', async () => {
  const dataDir = formerLog();
  const known = new Map([
    ['alarms/busy', { since: OPENED }],
    ['alarms/held', { since: OPENED }],
  ]);
  const log = await open(dataDir);
  expect((await log.state()).consumers).toEqual(known);
  await log.close();
  expect((await (await open(dataDir, OPENED + 1000)).state()).consumers).toEqual(known);
});

it('leaves a log as it was when the migration fails, and migrates it once the cause is gone', async () => {
  const dataDir = formerLog();
  const alter = (sql: string): void => {
    const db = new DatabaseSync(join(dataDir, 'log.db'));
    db.exec(sql);
    db.close();
  };
  alter("CREATE TRIGGER stop BEFORE UPDATE ON meta BEGIN SELECT raise(ABORT, 'stopped here'); END");
  await expect(open(dataDir)).rejects.toThrow('stopped here');
  alter('DROP TRIGGER stop');
  expect(await (await open(dataDir)).read(undefined, 10)).toHaveLength(4);
});

it('finds the dead letters that a consumer would come to again, though the log never stored their positions', async () => {
  const dataDir = formerLog();
  const db = new DatabaseSync(join(dataDir, 'log.db'));
  db.exec(`UPDATE dead_letters SET
    detail = json_set(detail, '$.position', (SELECT value FROM meta WHERE name = 'epoch') || ':0:4')`);
  db.close();
  const log = await open(dataDir);
  expect((await log.state()).dead).toEqual(new Map([['alarms/held', new Set([log.head()])]]));
});

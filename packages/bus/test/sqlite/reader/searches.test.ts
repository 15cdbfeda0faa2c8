import { type Event, newRef } from '@magpie/contract';
import { expect, it, onTestFinished } from 'vitest';
import { openLog } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary.ts';

const event = (): Event => ({
  ref: newRef(),
  source: 's',
  address: { scheme: 'topic', segments: ['a'] },
  kind: 'message',
  key: 'a',
  time: 1,
  receivedAt: Date.now(),
  body: new Uint8Array(10),
  headers: [],
  via: [],
  origin: {},
});

it('answers other reads while a search goes through the whole log', async () => {
  const { path: dataDir, remove } = temporaryDirectory();
  const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
  onTestFinished(() => log.close().then(remove));
  const events = Array.from({ length: 20_000 }, event);
  await log.commit({ append: events.map((each) => ({ event: each })) });
  const answered: string[] = [];
  const search = log.search({ filter: { connection: 'nobody' }, limit: 1 });
  const find = log.find(events[0]!.ref);
  await Promise.all([search.then(() => answered.push('search')), find.then(() => answered.push('find'))]);
  expect(answered).toEqual(['find', 'search']);
  expect(await search).toMatchObject({ scanned: 20_000, isEnd: true });
});

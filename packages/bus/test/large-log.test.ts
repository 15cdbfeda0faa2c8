import { type Event, newRef } from '@magpie/contract';
import { expect, it, onTestFinished } from 'vitest';
import { openSqliteLog } from '../src/index.ts';
import { temporaryDirectory } from './temporary.ts';

/** A million takes a while to write, so the normal run does with a tenth of it, and a tenth of the time. */
const LONG = process.env.MAGPIE_RELIABILITY === 'long';
const [EVENTS, LIMIT_MS] = LONG ? [1_000_000, 2000] : [100_000, 1000];
const PER_COMMIT = 10_000;
const BODY = new Uint8Array(256);

const event = (dedupeKey: string): Event => ({
  ref: newRef(),
  source: 's',
  address: { scheme: 'topic', segments: ['plant', 'pump-7'] },
  kind: 'message',
  key: 'topic:plant/pump-7',
  time: 1,
  receivedAt: Date.now(),
  body: BODY,
  headers: [],
  via: [],
  origin: {},
  dedupeKey,
});

const open = (dataDir: string) => openSqliteLog({ dataDir, reserveBytes: 0, minFreeBytes: 0 });

it(`opens a log of ${EVENTS} events, all in the dedupe window, within ${LIMIT_MS} ms`, {
  timeout: 120_000,
}, async () => {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  const log = await open(path);
  for (let first = 0; first < EVENTS; first += PER_COMMIT) {
    const append = Array.from({ length: PER_COMMIT }, (_, index) => ({ event: event(`key-${first + index}`) }));
    await log.commit({ append });
  }
  await log.commit({ matched: log.head()! });
  await log.close();

  const started = performance.now();
  const reopened = await open(path);
  onTestFinished(() => reopened.close());
  const { matched } = await reopened.state();
  const took = performance.now() - started;
  console.log(`opened ${EVENTS} events in ${Math.round(took)} ms`);
  expect(took).toBeLessThan(LIMIT_MS);
  expect(matched).toBe(reopened.head());
  expect((await reopened.stats()).events).toBe(EVENTS);
  expect(await reopened.commit({ append: [{ event: event('key-1') }] })).toMatchObject([{ type: 'duplicate' }]);
});

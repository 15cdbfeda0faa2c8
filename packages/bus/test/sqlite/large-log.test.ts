import { type Event, newRef } from '@magpie/contract';
import { expect, it, onTestFinished } from 'vitest';
import { openLog } from '../../src/index.ts';
import { temporaryDirectory } from '../support/temporary.ts';

/** A million takes a while to write, so the normal run does with a tenth of it. */
const LONG = process.env.MAGPIE_RELIABILITY === 'long';
const EVENTS = LONG ? 1_000_000 : 100_000;
const LIMIT_MS = 2000;
/** A look for a ref among so many events of a few seconds; a walk over them takes many times as long. */
const LOOK_MS = 20;
/** The best of so many openings counts: other work on the machine is not what is measured. */
const OPENINGS = 3;
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

const open = (dataDir: string) => openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });

it(`opens a log of ${EVENTS} events, all in the dedupe window, within ${LIMIT_MS} ms`, {
  timeout: 120_000,
}, async () => {
  const { path, remove } = temporaryDirectory();
  onTestFinished(remove);
  const log = await open(path);
  let unknown = '';
  for (let first = 0; first < EVENTS; first += PER_COMMIT) {
    if (first === EVENTS / 2) unknown = newRef();
    const append = Array.from({ length: PER_COMMIT }, (_, index) => ({ event: event(`key-${first + index}`) }));
    await log.commit({ append });
  }
  await log.commit({ matched: log.head()! });
  await log.close();

  const times: number[] = [];
  for (let opening = 0; opening < OPENINGS; opening++) {
    const started = performance.now();
    const again = await open(path);
    const { matched } = await again.state();
    times.push(Math.round(performance.now() - started));
    expect(matched).toBe(again.head());
    await again.close();
  }
  console.log(`opened ${EVENTS} events in ${times.join(', ')} ms`);
  expect(Math.min(...times)).toBeLessThan(LIMIT_MS);
  const reopened = await open(path);
  onTestFinished(() => reopened.close());
  expect((await reopened.stats()).events).toBe(EVENTS);
  const looks: number[] = [];
  for (let look = 0; look < 5; look++) {
    const began = performance.now();
    expect(await reopened.find(unknown)).toBeUndefined();
    looks.push(Math.round((performance.now() - began) * 10) / 10);
  }
  console.log(`looked for an unknown ref in ${looks.join(', ')} ms`);
  expect(Math.min(...looks)).toBeLessThan(LOOK_MS);
  expect(await reopened.commit({ append: [{ event: event('key-1') }] })).toMatchObject([{ type: 'duplicate' }]);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { openLog, type StoredEvent } from '../../src/index.ts';
import { startChild } from '../support/children.ts';
import { temporaryDirectory } from '../support/temporary.ts';

const KILLS = 5;

it('keeps every acknowledged event, whole commits only, over kill -9', { timeout: 60_000 }, async () => {
  const { path: dataDir, remove } = temporaryDirectory();
  onTestFinished(remove);
  const acked = new Set<string>();
  for (let kill = 0; kill < KILLS; kill++) {
    const child = await startChild('child-appender.ts', [dataDir]);
    await child.says(/^ready$/m);
    await sleep(100 + 150 * kill);
    await child.kill();
    // The kill may have cut the last line.
    for (const line of child.stdout().split('\n').slice(0, -1)) if (line !== 'ready') acked.add(line.split(' ')[0]!);
  }
  expect(acked.size).toBeGreaterThan(100);
  const log = await openLog({ store: 'sqlite', dataDir, reserveBytes: 0, minFreeBytes: 0 });
  onTestFinished(() => log.close());
  const stored: StoredEvent[] = [];
  for (
    let page = await log.read(undefined, 1000);
    page.length > 0;
    page = await log.read(stored.at(-1)!.position, 1000)
  ) {
    stored.push(...page);
  }
  const refs = new Set(stored.map(({ event }) => event.ref));
  expect([...acked].filter((ref) => !refs.has(ref))).toEqual([]);
  expect(refs.size).toBe(stored.length);
  expect(stored.length % 2).toBe(0);
  expect((await log.stats()).events).toBe(stored.length);
  for (const { event } of stored.slice(-40).filter(({ event: { subject } }) => subject?.endsWith('-a'))) {
    expect(await log.outcomes(event.ref)).toHaveLength(1);
  }
  const repeated = stored.at(-1)!;
  const [verdict] = await log.commit({ append: [{ event: repeated.event }] });
  expect(verdict).toEqual({ type: 'duplicate', position: repeated.position, ref: repeated.event.ref });
});

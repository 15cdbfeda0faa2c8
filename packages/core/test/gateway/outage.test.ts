import { memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog, type EventLog } from '@magpie/bus';
import { expect, it } from 'vitest';
import { bodies, bridge, freshBrokers, publishAll, startGateway } from './gateway-fixture.ts';

const HOUR = 3_600_000;

it('knows what a source sends again after an outage of hours, and takes it no second time', async () => {
  const names = freshBrokers();
  let time = Date.now();
  const stored = createMemoryLog({ clock: { now: () => time } });
  const slow = Promise.withResolvers<void>();
  const commit: EventLog['commit'] = async (change) => {
    const verdicts = await stored.commit(change);
    // The acknowledgement does not get to the source before its link is gone.
    if (change.append?.length) await slow.promise;
    return verdicts;
  };
  const { gateway } = await startGateway(names, bridge, { ...stored, commit });
  const isUp = (): boolean => gateway.connections().find(({ name }) => name === 'left')?.state === 'up';
  await expect.poll(isUp).toBe(true);
  publishAll(names.left, ['stored']);
  await expect.poll(() => stored.head()).toBeDefined();
  memoryBroker(names.left).stop();
  await expect.poll(isUp).toBe(false);
  time += 5 * HOUR;
  slow.resolve();
  memoryBroker(names.left).start();
  await expect.poll(isUp, { timeout: 10_000 }).toBe(true);
  publishAll(names.left, ['next']);
  await expect.poll(() => bodies(names.right, 'out/').at(-1), { timeout: 10_000 }).toBe('next');
  expect(bodies(names.right, 'out/')).toEqual(['stored', 'next']);
  expect((await stored.stats()).events).toBe(2);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@magpie/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { watchFiles } from '../../src/reload/watch.ts';
import { arrived, publish, route, startWorld, type World } from '../support/fixtures.ts';

const KEPT = route('kept', 'kept');
const SENDERS = 4;

/** Publishes by several senders until it is stopped; resolves to the number of each that were answered with 202. */
function load(world: World): { stop(): Promise<readonly number[]> } {
  let running = true;
  const send = async (_: unknown, sender: number): Promise<number> => {
    let count = 0;
    while (running) {
      await publish(world, `kept/${sender}`, `${sender} ${count++}`);
      await sleep(1);
    }
    return count;
  };
  const done = Promise.all(Array.from({ length: SENDERS }, send));
  const stop = (): typeof done => {
    running = false;
    return done;
  };
  onTestFinished(async () => void (await stop()));
  return { stop };
}

test('changing the file twenty times under load loses, repeats and reorders nothing', { timeout: 60_000 }, async () => {
  const world = await startWorld([KEPT]);
  const { reloader, gateway } = world;
  const [before] = gateway.connections();
  onTestFinished(watchFiles({ files: reloader.files, onChange: () => void reloader.filesChanged(), quietMs: 20 }));
  const sending = load(world);
  for (let turn = 1; turn <= 20; turn++) {
    const extra = `  extra: { type: memory, broker: ${world.broker.name}, clientId: extra-${turn} }`;
    const other = route(`other-${turn}`, 'other').replace('floor', 'extra');
    if (turn % 5 === 0) world.rewrite(['  broken: {'], {});
    else world.rewrite([KEPT, other], { connections: [extra] });
    if (turn % 5 === 0) await waitFor(() => reloader.current().refused, { what: 'the refusal', timeout: 10_000 });
    else {
      const applied = () => Object.hasOwn(Object(reloader.current().config.routes), `other-${turn}`);
      await waitFor(applied, { what: `change ${turn}`, timeout: 10_000 });
    }
    await sleep(10);
  }
  const counts = await sending.stop();
  const total = counts.reduce((sum, count) => sum + count, 0);
  await waitFor(() => arrived(world.broker, 'kept').length >= total, { what: `${total} messages`, timeout: 20_000 });
  for (const [sender, count] of counts.entries()) {
    const texts = arrived(world.broker, 'kept').filter((text) => text.startsWith(`${sender} `));
    expect(texts).toEqual(Array.from({ length: count }, (_, index) => `${sender} ${index}`));
  }
  expect(total).toBeGreaterThan(100);
  expect(gateway.connections().find(({ name }) => name === 'floor')?.since).toBe(before?.since);
  expect(await gateway.deadLetters.list({ limit: 1 })).toEqual([]);
});

import { memoryAdapter, memoryBroker } from '@magpie/adapter-memory';
import type { AnyAdapter, Verdict } from '@magpie/contract';
import { expect, it } from 'vitest';
import { bodies, bridge, freshBrokers, publishAll, startGateway } from './gateway-fixture.ts';

/** The adapter for tests, whose senders all want to know that their messages have arrived; and what its verdicts said. */
function curious() {
  const verdicts: Verdict[] = [];
  const adapter: AnyAdapter = {
    ...memoryAdapter,
    create: (config, context) => {
      const connection = memoryAdapter.create(config, context);
      const original = connection.receive.bind(connection);
      const receive: typeof connection.receive = (sources, sink) =>
        original(sources, async (batch, place) => {
          const judged = await sink(
            batch.map((event) => ({ ...event, awaitsDelivery: true })),
            place,
          );
          verdicts.push(...judged);
          return judged;
        });
      return Object.assign(connection, { receive });
    },
  };
  return { adapter, verdicts };
}

/** Starts it and waits for both links: what is published before is nobody's. */
async function started(...given: Parameters<typeof startGateway>) {
  const made = await startGateway(...given);
  const areUp = (): boolean => made.gateway.connections().every(({ state }) => state === 'up');
  await expect.poll(areUp).toBe(true);
  return made;
}

const delivered = (verdict: Verdict | undefined): Promise<unknown> =>
  Promise.race([
    verdict?.type === 'stored' ? verdict.delivered : undefined,
    new Promise((resolve) => setTimeout(() => resolve('not yet'), 50)),
  ]);

it('tells an adapter that asks for it once every target has confirmed, not when the log has the event', async () => {
  const names = freshBrokers();
  const { adapter, verdicts } = curious();
  const { log } = await started(names, bridge, undefined, {}, adapter);
  memoryBroker(names.right).stop();
  publishAll(names.left, ['a']);
  await expect.poll(() => verdicts.length).toBe(1);
  expect(await delivered(verdicts[0])).toBe('not yet');
  memoryBroker(names.right).start();
  await expect.poll(() => bodies(names.right, 'out/'), { timeout: 10_000 }).toEqual(['a']);
  await expect.poll(() => delivered(verdicts[0])).toBe(true);
  const stored = await log.read(undefined, 1);
  expect(Object.keys(stored[0]?.event ?? {})).not.toContain('awaitsDelivery');
});

it('says no when one of the targets never will', async () => {
  const names = freshBrokers();
  const { adapter, verdicts } = curious();
  const from = { connection: 'left', channel: 'in/{name}' };
  const broken = { from, to: { connection: 'right', channel: 'out/other', text: '${payload.missing}' } };
  await started(names, { ...bridge, broken }, undefined, {}, adapter);
  publishAll(names.left, ['a']);
  await expect.poll(() => bodies(names.right, 'out/')).toEqual(['a']);
  await expect.poll(() => delivered(verdicts[0])).toBe(false);
});

it('says yes of what a place has got before, once that has arrived there', async () => {
  const names = freshBrokers();
  const { adapter, verdicts } = curious();
  const routes = { bridge: { ...bridge.bridge, onlyOnChange: true } };
  await started(names, routes, undefined, {}, adapter);
  memoryBroker(names.right).stop();
  publishAll(names.left, ['same', 'same', 'same']);
  await expect.poll(() => verdicts.length).toBe(3);
  expect(await delivered(verdicts[2])).toBe('not yet');
  memoryBroker(names.right).start();
  for (const index of [0, 1, 2]) await expect.poll(() => delivered(verdicts[index]), { timeout: 10_000 }).toBe(true);
  expect(bodies(names.right, 'out/')).toEqual(['same']);
});

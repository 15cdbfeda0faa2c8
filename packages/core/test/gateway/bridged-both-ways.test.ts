import { type MemoryConfig, memoryAdapter, memoryBroker } from '@magpie/adapter-memory';
import { createMemoryLog } from '@magpie/bus';
import { type AdapterDefinition, type AnyAdapter, type Connection, Throttled } from '@magpie/contract';
import { expect, it } from 'vitest';
import { bodies, freshBrokers, numbered, startGateway } from './gateway-fixture.ts';

/** Events without a verdict beyond which a connection of one stream stops reading. */
const READ_AHEAD = 16;

/** The in-memory protocol on one stream: once reading stops, no confirmation is read, and nothing is sent. */
const oneStream: AnyAdapter = {
  ...(memoryAdapter as AdapterDefinition<MemoryConfig>),
  capabilities: (config: MemoryConfig) => ({ ...memoryAdapter.capabilities(config), sendsWhileHeld: false }),
  create: (config: MemoryConfig, context): Connection => {
    const sound = memoryAdapter.create(config, context);
    let unsettled = 0;
    let waiting: (() => void)[] = [];
    const isStopped = (): boolean => unsettled > READ_AHEAD;
    return {
      ...sound,
      receive: (sources, sink) =>
        sound.receive(sources, async (batch) => {
          unsettled += batch.length;
          const verdicts = await sink(batch);
          unsettled -= batch.length;
          if (!isStopped()) for (const goOn of waiting.splice(0)) goOn();
          return verdicts;
        }),
      async send(event, target, signal) {
        if (isStopped()) throw new Throttled('reading is stopped', 20);
        const receipt = await sound.send(event, target, signal);
        while (isStopped()) {
          await new Promise<void>((resolve) => {
            waiting = [...waiting, resolve];
            signal.addEventListener('abort', () => resolve());
          });
          signal.throwIfAborted();
        }
        return receipt;
      },
    };
  },
};

it('goes on by itself when two connections that send on the stream they read are bridged both ways and both full', async () => {
  const names = freshBrokers();
  const over = (from: string, to: string) => ({
    from: { connection: from, channel: 'in/{name}' },
    to: { connection: to, channel: 'out/${name}', backlog: { bytes: '2KiB' } },
  });
  const routes = { right: over('left', 'right'), left: over('right', 'left') };
  const { gateway } = await startGateway(names, routes, createMemoryLog({}), {}, oneStream);
  await expect.poll(() => gateway.connections().every(({ state }) => state === 'up')).toBe(true);
  const both = [memoryBroker(names.left), memoryBroker(names.right)];
  for (const broker of both) broker.holdConfirmations();
  const texts = numbered(400).map((text) => text.padStart(100, ' '));
  for (const [index, text] of texts.entries()) {
    for (const broker of both) broker.publish('in/a', { body: Buffer.from(text) });
    if (index % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await expect.poll(() => gateway.holds(), { timeout: 2000 }).not.toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 200)); // Both have read all that they may.
  for (const broker of both) broker.releaseConfirmations();
  for (const name of [names.left, names.right]) {
    await expect.poll(() => new Set(bodies(name, 'out/')).size, { timeout: 10_000 }).toBe(texts.length);
    expect([...new Set(bodies(name, 'out/'))]).toEqual(texts);
  }
  await expect.poll(() => gateway.holds(), { timeout: 2000 }).toEqual([]);
}, 20_000);

import { memoryAdapter } from '@magpie/adapter-memory';
import { type AnyAdapter, createLineLogger } from '@magpie/contract';
import { expect, it } from 'vitest';
import { bridge, freshBrokers, startGateway } from '../gateway/gateway-fixture.ts';

/** The memory adapter, with a word in the log about a place of each connection it makes. */
const talkative: AnyAdapter = {
  ...memoryAdapter,
  create: (...[config, context]: Parameters<typeof memoryAdapter.create>) => {
    context.logger.warn({ place: 'in/#' }, 'a place is not received');
    return memoryAdapter.create(config, context);
  },
};

it('a line that an adapter logs names its connection', async () => {
  const lines: unknown[] = [];
  const logger = createLineLogger((_, fields, message) => {
    if (message === 'a place is not received') lines.push(fields);
  });
  await startGateway(freshBrokers(), bridge, undefined, {}, talkative, logger);
  expect(lines).toEqual([
    { connection: 'left', place: 'in/#' },
    { connection: 'right', place: 'in/#' },
  ]);
});

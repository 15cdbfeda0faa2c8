import { memoryAdapter } from '@magpie/adapter-memory';
import { runContractCase } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import type { Defect, Definition } from './defects/defect.ts';
import { DEFINITION } from './defects/definition.ts';
import { LINK } from './defects/link.ts';
import { RECEIVING } from './defects/receiving.ts';
import { SENDING } from './defects/sending.ts';
import { memorySuite } from './memory-suite.ts';

it('finds a capability that is claimed while its cases are declared unsupported', async () => {
  const suite = { ...memorySuite, unsupported: { 'send-via': 'this protocol has no headers' } };
  await expect(runContractCase(suite, 'capabilities')).rejects.toThrow('send-via');
  await runContractCase(memorySuite, 'capabilities');
});

describe('the adapter contract finds', () => {
  for (const planted of [...RECEIVING, ...SENDING, ...LINK, ...DEFINITION]) {
    for (const name of planted.foundBy) {
      it(`an adapter that ${planted.defect} [${name}]`, async () => {
        const limits = { ...memorySuite.limits, deadline: 600 };
        const suite = { ...memorySuite, limits, definition: spoil(planted) };
        await expect(runContractCase(suite, name)).rejects.toThrow();
        await expect(runContractCase({ ...memorySuite, limits }, name)).resolves.toBeUndefined();
      });
    }
  }
});

/** The sound adapter with the defect planted. */
function spoil({ definition, prepare, connection }: Defect): Definition {
  return {
    ...memoryAdapter,
    ...definition,
    create(config, context) {
      const [usedConfig, usedContext] = prepare?.(config, context) ?? [config, context];
      const sound = memoryAdapter.create(usedConfig, usedContext);
      return { ...sound, ...connection?.(sound, usedConfig, usedContext) };
    },
  };
}

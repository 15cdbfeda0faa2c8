/**
 * The event log contract suite: one set of cases that every store passes. A store's test file calls
 *
 *     busContract({ name: 'memory', open: async (options) => ({ log: createMemoryLog(options), dispose: async () => {} }) });
 */
import { describe, it, onTestFinished } from 'vitest';
import type { BusBench, BusInstance, BusSuite } from './bench.ts';
import { consumerCases } from './consumers.ts';
import { dedupeCases } from './dedupe.ts';
import { fieldCases } from './fields.ts';
import { logCases } from './log.ts';
import { retentionCases } from './retention.ts';
import { searchCases } from './search.ts';
import { stateCases } from './state.ts';

export type { BusInstance, BusSuite } from './bench.ts';

const GROUPS = {
  log: logCases,
  'pages and searches': searchCases,
  'consumer state': stateCases,
  'known consumers': consumerCases,
  'dedupe window': dedupeCases,
  'retention and close': retentionCases,
  fields: fieldCases,
} as const;

/** Registers the contract suite of one store with vitest. Called at the top level of a test file. */
export function busContract(suite: BusSuite): void {
  describe(`event log contract: ${suite.name}`, () => {
    for (const [group, cases] of Object.entries(GROUPS)) {
      describe(group, () => {
        for (const [title, run] of Object.entries(cases)) it(title, () => run(benchOf(suite)));
      });
    }
  });
}

function benchOf(suite: BusSuite): BusBench {
  let latest: BusInstance | undefined;
  return {
    open: async (options = {}) => {
      const instance = await suite.open(options);
      latest = instance;
      onTestFinished(() => instance.dispose());
      return instance.log;
    },
    reopen: async (options = {}) => {
      if (latest === undefined) throw new Error('open a log before reopening it');
      return latest.reopen === undefined ? latest.log : latest.reopen(options);
    },
  };
}

import { busContract } from '@magpie/testkit';
import { createMemoryLog } from '../../src/index.ts';

busContract({
  name: 'memory',
  open: async (options) => {
    const log = createMemoryLog(options);
    return { log, dispose: log.close };
  },
});

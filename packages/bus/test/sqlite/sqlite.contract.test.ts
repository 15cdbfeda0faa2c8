import { busContract } from '@magpie/testkit';
import { openLog } from '../../src/index.ts';
import { temporaryDirectory } from '../support/temporary.ts';

busContract({
  name: 'sqlite',
  open: async (options) => {
    const { path: dataDir, remove } = temporaryDirectory();
    const small = { dataDir, reserveBytes: 0, minFreeBytes: 0 };
    let current = await openLog({ store: 'sqlite', ...options, ...small });
    return {
      log: current,
      reopen: async (next) => {
        await current.close();
        current = await openLog({ store: 'sqlite', ...next, ...small });
        return current;
      },
      dispose: async () => {
        await current.close();
        remove();
      },
    };
  },
});

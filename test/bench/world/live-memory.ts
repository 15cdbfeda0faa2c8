import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into a gateway that is measured, with `--expose-gc`: at SIGUSR2 it collects all garbage and says how many bytes are
 * left. Resident memory is mostly garbage that has not been collected yet.
 */
if (isMainThread) {
  process.on('SIGUSR2', () => {
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    process.stderr.write(`live ${heapUsed + external}\n`);
  });
}

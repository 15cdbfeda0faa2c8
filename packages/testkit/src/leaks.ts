import { setTimeout as sleep } from 'node:timers/promises';

/** Compares what keeps the process busy now with what did when it was made. */
export interface LeakCheck {
  /**
   * Passes when no kind of resource (socket, server, timer, child process, file watcher) is in use more often than at
   * the start; waits for late ones.
   * @param patience milliseconds, default 2,000.
   * @throws Error naming what is left and how many.
   */
  expectNone(patience?: number): Promise<void>;
}

/** One-shot work that ends by itself and whose number means nothing. */
const passing = /^(FS|GetAddrInfo|TCPConnectWrap|ShutdownWrap|WriteWrap|Immediate|TickObject|CloseReq|Random|Zlib)/;

/** Starts a {@link LeakCheck}. Call it before the code under test opens anything, and `expectNone` after it closed. */
export function leakCheck(): LeakCheck {
  const before = inUse();
  return {
    expectNone: async (patience = 2000) => {
      const deadline = performance.now() + patience;
      for (let left = more(before); left.length > 0; left = more(before)) {
        if (performance.now() > deadline) {
          throw new Error(`Still in use ${patience} ms after closing: ${left.join(', ')}. Something was not closed.`);
        }
        // This timer is gone again when the resources are counted.
        await sleep(10);
      }
    },
  };
}

/** Those that keep the event loop alive, by kind. */
function inUse(): Map<string, number> {
  const kinds = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!passing.test(kind)) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return kinds;
}

function more(before: ReadonlyMap<string, number>): string[] {
  return [...inUse()]
    .map(([kind, count]) => ({ kind, surplus: count - (before.get(kind) ?? 0) }))
    .filter(({ surplus }) => surplus > 0)
    .map(({ kind, surplus }) => `${surplus} ${kind}`);
}

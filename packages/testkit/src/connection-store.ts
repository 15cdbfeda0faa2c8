import type { ConnectionStore } from '@magpie/contract';

/** A connection's store in memory, which outlives the connections that use it. */
export function memoryStore(): ConnectionStore {
  const kept = new Map<string, string>();
  return {
    entries: async () => new Map(kept),
    put: async (values) => {
      for (const [key, value] of values) {
        if (value === undefined) kept.delete(key);
        else kept.set(key, value);
      }
    },
  };
}

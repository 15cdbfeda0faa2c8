const MIN_MS = 500;
const MAX_MS = 30_000;

/** Full-jitter delay in ms before attempt number `attempt` (from 0): 0.5 s at least, growing to at most 30 s. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(MAX_MS, 2 * MIN_MS * 2 ** Math.min(attempt, 16));
  return MIN_MS + random() * (ceiling - MIN_MS);
}

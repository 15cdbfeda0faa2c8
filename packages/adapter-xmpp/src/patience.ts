import type { Clock } from '@magpie/contract';

/** Longest time a silent server or room service may delay the rest of the link, ms. */
const PATIENCE_MS = 5_000;

/** Resolves when the work is done, at the latest after 5 s. Called once or twice per `receive`. */
export async function withPatience(work: Promise<unknown>, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.timeout(PATIENCE_MS, resolve);
  await Promise.race([work, promise]);
  cancel();
}

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

/** Milliseconds between two looks of `whileDue`. */
const LOOK_MS = 20;

/** Resolves when nothing is due, at the latest after `ms`. Called before a session is resumed. */
export async function whileDue(isDue: () => boolean, clock: Clock, ms: number): Promise<void> {
  const deadline = clock.monotonic() + ms;
  while (isDue() && clock.monotonic() < deadline)
    await new Promise<void>((resolve) => void clock.timeout(LOOK_MS, resolve));
}

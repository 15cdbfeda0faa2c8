import { setTimeout as sleep } from 'node:timers/promises';
import { whileFrozen } from './freeze.ts';
import { openPowerCutDisk, type PowerCutDisk } from './power-cut-disk.ts';

/** What writes to the file system, and what it has promised. */
export interface PowerCutWriter<Promised> {
  /** Every process that writes below the mount. They are stopped while the image is copied. */
  readonly pids: readonly number[];
  /** What must be on the disk by now. Called while the writers are stopped, before the image is copied. */
  promised(): Promised;
  /** Ends the writers. Called once, also after a failure. */
  stop(): Promise<void>;
}

/** One image, mounted. */
export interface PowerCutImage<Promised> {
  /** Where the copy is mounted; writable, and gone after the check. */
  readonly path: string;
  /** From 0. */
  readonly index: number;
  readonly promised: Promised;
}

/** What {@link powerCutImages} takes. */
export interface PowerCutOptions<Promised> {
  /** Number of images. */
  readonly count: number;
  /** Seed of the times between the cuts. The writers are not part of it: a run is similar, not the same. */
  readonly seed: number;
  /** Longest time between two cuts in ms; each is drawn from 0 to it. Default 300. */
  readonly maxGapMs?: number;
  /** Size of the file system. Default 256 MiB; it takes only the room it needs. */
  readonly bytes?: number;
  /** Starts the writers on an empty file system. The first cut may come at once. */
  start(path: string): Promise<PowerCutWriter<Promised>>;
  /** Looks at an image, while the writers go on; throws when something is missing. */
  check(image: PowerCutImage<Promised>): Promise<void>;
}

const DEFAULT_GAP_MS = 300;

/**
 * Cuts the power `count` times at random moments and checks what each cut left. Needs Linux, root and loop devices: ask
 * `powerCutRefusal` first. Unmounts and removes everything, also on failure.
 * @throws Error naming image and seed, with what `check` threw as its cause.
 */
export async function powerCutImages<Promised>(options: PowerCutOptions<Promised>): Promise<void> {
  const disk = await openPowerCutDisk(options.bytes);
  try {
    await cutOften(disk, options);
  } finally {
    await disk.remove();
  }
}

async function cutOften<Promised>(
  disk: PowerCutDisk,
  { count, seed, maxGapMs = DEFAULT_GAP_MS, start, check }: PowerCutOptions<Promised>,
): Promise<void> {
  const random = randomFrom(seed);
  const writer = await start(disk.path);
  try {
    for (let index = 0; index < count; index++) {
      await sleep(random() * maxGapMs);
      const { copy, promised } = await whileFrozen(writer.pids, async () => {
        const atThatMoment = writer.promised();
        return { promised: atThatMoment, copy: await disk.copy() };
      });
      await disk
        .inspect(copy, (path) => check({ path, index, promised }))
        .catch((cause: unknown) => {
          throw new Error(`image ${index} of seed ${seed}: ${String(cause)}`, { cause });
        });
    }
  } finally {
    await writer.stop();
  }
}

/** Mulberry32: numbers from 0 to below 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Power cuts without cutting power. Processes write to an ext4 file system in a file; a copy of that file, taken while
 * it is mounted, holds exactly what had reached the device: what was fsynced is there, what the kernel still had in
 * memory is not. Mounting the copy replays the journal, as booting does.
 *
 * The copy must be of one moment. The writers are stopped meanwhile, and a copy during which the kernel wrote anything
 * is taken again. So a cut falls between two system calls of the writers, not inside one.
 */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { whileFrozen } from './freeze.ts';
import { type LoopMount, makeImage, mountImage, scratchDirectory } from './loop-mount.ts';

export { mountRefusal as powerCutRefusal } from './loop-mount.ts';

const run = promisify(execFile);

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

const DEFAULTS = { maxGapMs: 300, bytes: 256 * 1024 * 1024 } as const;

/**
 * Cuts the power `count` times at random moments and checks what each cut left. Needs Linux, root and loop devices: ask
 * `powerCutRefusal` first. Unmounts and removes everything, also on failure.
 * @throws Error naming image and seed, with what `check` threw as its cause.
 */
export async function powerCutImages<Promised>(options: PowerCutOptions<Promised>): Promise<void> {
  const { bytes = DEFAULTS.bytes } = options;
  const scratch = await scratchDirectory();
  try {
    const image = join(scratch.path, 'image');
    await makeImage(image, bytes);
    await withMount(image, join(scratch.path, 'mount'), (mounted) => cutOften(mounted, scratch.path, options));
  } finally {
    await scratch.remove();
  }
}

async function cutOften<Promised>(
  mounted: LoopMount,
  scratch: string,
  { count, seed, maxGapMs = DEFAULTS.maxGapMs, start, check }: PowerCutOptions<Promised>,
): Promise<void> {
  const random = randomFrom(seed);
  const writer = await start(mounted.path);
  try {
    for (let index = 0; index < count; index++) {
      await sleep(random() * maxGapMs);
      const copy = join(scratch, `cut-${index}`);
      const promised = await cut(mounted, writer, copy);
      await withMount(copy, `${copy}.mount`, ({ path }) => check({ path, index, promised })).catch((cause: unknown) => {
        throw new Error(`image ${index} of seed ${seed}: ${String(cause)}`, { cause });
      });
      await rm(copy);
    }
  } finally {
    await writer.stop();
  }
}

/** Mounts an image for the time of some work. */
async function withMount(image: string, path: string, work: (mounted: LoopMount) => Promise<void>): Promise<void> {
  const mounted = await mountImage(image, path);
  try {
    await work(mounted);
  } finally {
    await mounted.release();
  }
}

const cut = <Promised>(mounted: LoopMount, writer: PowerCutWriter<Promised>, copy: string): Promise<Promised> =>
  whileFrozen(writer.pids, async () => {
    const promised = writer.promised();
    await copyOneMoment(mounted, copy);
    return promised;
  });

const COPY_ATTEMPTS = 100;

/** Copies an image, again and again until nothing was written to it meanwhile. */
async function copyOneMoment({ image, traffic }: LoopMount, copy: string): Promise<void> {
  for (let attempt = 0; attempt < COPY_ATTEMPTS; attempt++) {
    const before = await traffic();
    if (before.underWay === 0) {
      await run('cp', ['--sparse=auto', image, copy]);
      const after = await traffic();
      if (after.underWay === 0 && after.completed === before.completed) return;
    }
    await sleep(10);
  }
  throw new Error(
    `${image} was written to during each of ${COPY_ATTEMPTS} copies: stop every process that writes to it`,
  );
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

import { existsSync, rmSync, statSync } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogSpace } from '../../contract.ts';

/** Limits of a disk guard, in bytes. */
export interface DiskLimits {
  readonly dataDir: string;
  readonly reserveBytes: number;
  /** Undefined: `DEFAULT_MIN_FREE`, or `DEFAULT_MIN_FREE_SHARE` of the file system when that is more. */
  readonly minFreeBytes: number | undefined;
}

const DEFAULT_MIN_FREE = 256 * 1024 * 1024;
const DEFAULT_MIN_FREE_SHARE = 0.05;
const CHECK_EVERY_MS = 1000;
const CHUNK_BYTES = 1024 * 1024;

/** Watches the free space of the data directory and keeps a reserve in it. Used by the writer thread. */
export interface DiskGuard {
  /** Why appends are refused now, as a sentence; undefined while there is room. */
  refusal(): string | undefined;
  /**
   * Called when a write found the disk full: refuses appends and gives the reserve back to the file system. Returns
   * whether there was one: then a write that does not append may be tried again.
   */
  exhausted(): boolean;
  /** Looks at the disk; appends are allowed again once there is room and the reserve is whole. Called every second. */
  check(): Promise<void>;
  start(): void;
  stop(): void;
}

/** `report` hears of the room on the disk, and of every change of it. */
export function createDiskGuard(limits: DiskLimits, report: (space: LogSpace) => void): DiskGuard {
  const reserve = createReserve(reserveFile(limits.dataDir), limits.reserveBytes);
  let space: LogSpace = { intake: true, free: undefined, needed: 0 };
  let checking = false;
  let timer: NodeJS.Timeout | undefined;

  const update = (free: number | undefined, needed: number, refusal: string | undefined): void => {
    if (space.free === free && space.needed === needed && space.refusal === refusal) return;
    space = { intake: refusal === undefined, free, needed, ...(refusal === undefined ? {} : { refusal }) };
    report(space);
  };
  const measure = async (): Promise<void> => {
    const { bavail, blocks, bsize } = await statfs(limits.dataDir);
    const free = bavail * bsize;
    const wanted = limits.minFreeBytes ?? Math.max(DEFAULT_MIN_FREE, blocks * bsize * DEFAULT_MIN_FREE_SHARE);
    const needed = wanted + (reserve.whole() ? 0 : limits.reserveBytes);
    if (free < needed) return update(free, needed, spaceSentence(limits.dataDir, free, needed));
    update(free, needed, (await reserve.fill()) ? undefined : space.refusal);
  };
  const check = async (): Promise<void> => {
    if (checking) return;
    checking = true;
    try {
      await measure();
    } catch {
      // Free space that cannot be measured stops nothing by itself: a write that finds the disk full will.
    } finally {
      checking = false;
    }
  };
  return {
    refusal: () => space.refusal,
    exhausted: () => {
      const hadReserve = limits.reserveBytes > 0 && reserve.whole();
      reserve.release();
      const sentence = `the disk of ${limits.dataDir} is full: intake stops until space is freed there`;
      update(space.free, space.needed, sentence);
      return hadReserve;
    },
    check,
    start: () => {
      timer = setInterval(() => void check(), CHECK_EVERY_MS);
      void check();
    },
    stop: () => clearInterval(timer),
  };
}

const reserveFile = (dataDir: string): string => join(dataDir, 'reserve');

/** Gives the reserve of a log that is not open back to the file system; returns whether there was one. */
export function giveUpReserve(dataDir: string): boolean {
  const path = reserveFile(dataDir);
  const existed = existsSync(path);
  rmSync(path, { force: true });
  return existed;
}

/** A file of zeros that can be given up at once. */
function createReserve(path: string, bytes: number) {
  let whole = statSync(path, { throwIfNoEntry: false })?.size === bytes || bytes === 0;
  let generation = 0;
  const release = (): void => {
    generation++;
    whole = bytes === 0;
    rmSync(path, { force: true });
  };
  /** Writes the file and makes it durable; false when there was no room for it, or it was released meanwhile. */
  const fill = async (): Promise<boolean> => {
    if (whole) return true;
    const mine = generation;
    const file = await open(path, 'w');
    try {
      const zeros = Buffer.alloc(CHUNK_BYTES);
      for (let left = bytes; left > 0 && mine === generation; left -= CHUNK_BYTES) {
        await file.writeFile(left < CHUNK_BYTES ? zeros.subarray(0, left) : zeros);
      }
      await file.sync();
    } catch {
      // No room for the whole reserve: what was written goes back, the next check tries again.
      release();
    } finally {
      await file.close();
    }
    whole = mine === generation;
    return whole;
  };
  return { whole: () => whole, release, fill };
}

const MIB = 1024 * 1024;

const spaceSentence = (dataDir: string, free: number, wanted: number): string =>
  `the disk of ${dataDir} has ${Math.floor(free / MIB)} MiB free, intake needs ${Math.ceil(wanted / MIB)} MiB: ` +
  'it stops until space is freed there or retention removes old events';

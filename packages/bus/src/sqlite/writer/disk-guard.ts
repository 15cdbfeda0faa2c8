import { statfs } from 'node:fs/promises';
import { type Clock, errorMessage } from '@magpie/contract';
import { LogFailed, type LogSpace } from '../../contract/index.ts';
import { type FileIdentity, isInPlace, verifyIdentities } from '../directory/identity.ts';
import { createReserve } from './reserve.ts';

/** What a disk guard watches. Sizes in bytes. */
export interface DiskGuardOptions {
  readonly dataDir: string;
  /** The open files, which must stay in the directory. */
  readonly identities: readonly FileIdentity[];
  /** Those of them without which what is acknowledged is lost. */
  readonly holding: readonly FileIdentity[];
  readonly reserve: { readonly path: string; readonly bytes: number };
  /** Undefined: `DEFAULT_MIN_FREE`, or `DEFAULT_MIN_FREE_SHARE` of the file system when that is more. */
  readonly minFreeBytes: number | undefined;
  readonly clock: Pick<Clock, 'timeout'>;
  /** Called with the room on the disk, and at every change of it. */
  report(space: LogSpace): void;
  /** Called when the log can no longer be trusted: its files are gone, or the disk does not answer. */
  failed(error: LogFailed): void;
}

const DEFAULT_MIN_FREE = 256 * 1024 * 1024;
const DEFAULT_MIN_FREE_SHARE = 0.05;
const CHECK_EVERY_MS = 1000;

/** Watches the files and the free space of the data directory, and keeps a reserve in it. Used by the writer thread. */
export interface DiskGuard {
  /** Why appends are refused now, as a sentence; undefined while there is room. */
  refusal(): string | undefined;
  /**
   * Called when a write found the disk full: refuses appends and gives the reserve back to the file system. Returns
   * whether there was one: then a write that does not append may be tried again.
   */
  exhausted(): boolean;
  /** Called between each commit and its acknowledgement. Throws `LogFailed` when the files that hold it are gone. */
  verify(): void;
  /** Looks at files and disk; appends are allowed again once there is room and the reserve is whole. Called every second. */
  check(): Promise<void>;
  start(): void;
  stop(): void;
}

/** Makes the guard of a log that is open. */
export function createDiskGuard(options: DiskGuardOptions): DiskGuard {
  const { dataDir, identities, holding, clock } = options;
  const reserve = createReserve(options.reserve.path, options.reserve.bytes);
  let space: LogSpace = { intake: true, free: undefined, needed: 0 };
  let stopped = false;
  let cancel: (() => void) | undefined;

  const update = (free: number | undefined, needed: number, refusal: string | undefined): void => {
    if (space.free === free && space.needed === needed && space.refusal === refusal) return;
    space = { intake: refusal === undefined, free, needed, ...(refusal === undefined ? {} : { refusal }) };
    options.report(space);
  };
  const measure = async (): Promise<void> => {
    const { bavail, blocks, bsize } = await statfs(dataDir);
    const free = bavail * bsize;
    const wanted = options.minFreeBytes ?? Math.max(DEFAULT_MIN_FREE, blocks * bsize * DEFAULT_MIN_FREE_SHARE);
    const needed = wanted + (reserve.isWhole() ? 0 : options.reserve.bytes);
    if (free < needed) return update(free, needed, spaceSentence(dataDir, free, needed));
    const filled = await reserve.fill();
    if (filled === 'whole') update(free, needed, undefined);
    else
      update(free, needed, filled === 'no room' ? space.refusal : reserveSentence(options.reserve.path, filled.error));
  };
  const check = async (): Promise<void> => {
    try {
      verifyIdentities(identities);
      await measure();
    } catch (error) {
      options.failed(error instanceof LogFailed ? error : unmeasurable(dataDir, error));
    }
  };
  const run = async (): Promise<void> => {
    await check();
    if (!stopped) cancel = clock.timeout(CHECK_EVERY_MS, () => void run());
  };
  return {
    refusal: () => space.refusal,
    exhausted: () => {
      const hadReserve = options.reserve.bytes > 0 && reserve.isWhole();
      reserve.release();
      const sentence = `the disk of ${dataDir} is full: intake stops until space is freed there`;
      update(space.free, space.needed, sentence);
      return hadReserve;
    },
    verify: () => {
      if (!holding.every(isInPlace)) verifyIdentities(identities);
    },
    check,
    start: () => void run(),
    stop: () => {
      stopped = true;
      cancel?.();
    },
  };
}

const unmeasurable = (dataDir: string, error: unknown): LogFailed =>
  new LogFailed(`the disk of ${dataDir} cannot be measured: ${errorMessage(error)}`, { cause: error });

const reserveSentence = (path: string, error: unknown): string =>
  `the reserve ${path} cannot be written: ${errorMessage(error)}. Intake stops until it can`;

const MIB = 1024 * 1024;

const spaceSentence = (dataDir: string, free: number, wanted: number): string =>
  `the disk of ${dataDir} has ${Math.floor(free / MIB)} MiB free, intake needs ${Math.ceil(wanted / MIB)} MiB: ` +
  'it stops until space is freed there or retention removes old events';

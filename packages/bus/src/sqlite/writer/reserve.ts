import { existsSync, rmSync, statSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { makePrivateFile } from '../directory/private-files.ts';
import { classify } from '../file/sqlite-errors.ts';

const CHUNK_BYTES = 1024 * 1024;

/** A file of zeros that is released at once when the disk is full. */
export interface Reserve {
  /** Whether all of it is on the disk. */
  isWhole(): boolean;
  /** Releases it. */
  release(): void;
  /** Writes it and makes it durable. `no room`: the disk is too full for it, or it was released meanwhile. Never rejects. */
  fill(): Promise<'whole' | 'no room' | { readonly error: unknown }>;
}

/** Gives the reserve of a log that is not open back to the file system; returns whether there was one. */
export function giveUpReserve(path: string): boolean {
  const existed = existsSync(path);
  rmSync(path, { force: true });
  return existed;
}

/** Makes the reserve of a log; of 0 bytes it is always whole. */
export function createReserve(path: string, bytes: number): Reserve {
  let generation = 0;
  const isWhole = (): boolean => bytes === 0 || statSync(path, { throwIfNoEntry: false })?.size === bytes;
  const release = (): void => {
    generation++;
    rmSync(path, { force: true });
  };
  const write = async (): Promise<boolean> => {
    const mine = generation;
    makePrivateFile(path);
    const file = await open(path, 'w');
    try {
      const zeros = Buffer.alloc(CHUNK_BYTES);
      for (let left = bytes; left > 0 && mine === generation; left -= CHUNK_BYTES) {
        await file.writeFile(left < CHUNK_BYTES ? zeros.subarray(0, left) : zeros);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return mine === generation;
  };
  return {
    isWhole,
    release,
    fill: async () => {
      if (isWhole()) return 'whole';
      try {
        return (await write()) ? 'whole' : 'no room';
      } catch (error) {
        // What was written goes back; the next check tries again. Where even that fails, the error says enough.
        await rm(path, { force: true }).catch(() => undefined);
        return classify(error) === 'full' ? 'no room' : { error };
      }
    },
  };
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@magpie/brokers';

/**
 * The temporary directory of one test file: data of gateways and brokers, disk images, mounts. Tests that are interrupted
 * do not clean up after themselves, and hours of them would fill the disk.
 */
export interface Scratch {
  readonly path: string;
  /** Unmounts what is still mounted below it and removes it. What cannot be removed stays, without an error. */
  remove(): Promise<void>;
}

/** Makes a directory below the system's temporary one. */
export function makeScratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), 'magpie-reliability-'));
  return {
    path,
    remove: async () => {
      try {
        for (const mount of mountsBelow(path)) await run('umount', ['-l', mount]);
        // A broker that is being killed just now may still write.
        rmSync(path, { recursive: true, force: true, maxRetries: 10 });
      } catch {
        // It stays in the temporary directory: the results matter more.
      }
    },
  };
}

/** Mount points below a directory, those mounted last first. */
function mountsBelow(directory: string): readonly string[] {
  return mounts()
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${directory}/`))
    .reverse();
}

function mounts(): readonly string[] {
  try {
    return readFileSync('/proc/self/mounts', 'utf8').split('\n');
  } catch {
    return []; // Not Linux: then nothing has been mounted either.
  }
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, run } from '@magpie/brokers';
import { onTestFinished } from 'vitest';

/** A fresh directory and how to remove it. */
export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'magpie-bus-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const mount = (path: string, mebibytes: number): Promise<string> =>
  run('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path]);

/** Why no small file system can be mounted here; undefined when one can. */
export async function mountRefusal(): Promise<string | undefined> {
  const { path, remove } = temporaryDirectory();
  try {
    await mount(path, 1);
    await run('umount', [path]);
    return undefined;
  } catch (error) {
    return messageOf(error);
  } finally {
    remove();
  }
}

/** A file system of its own, until the end of the test. */
export async function smallDisk(mebibytes: number): Promise<string> {
  const { path, remove } = temporaryDirectory();
  await mount(path, mebibytes);
  onTestFinished(async () => {
    await run('umount', ['-l', path]);
    remove();
  });
  return path;
}

/** Makes a file system that was mounted read-only, or writable again. */
export const remount = (path: string, mode: 'ro' | 'rw'): Promise<string> =>
  run('mount', ['-o', `remount,${mode}`, path]);

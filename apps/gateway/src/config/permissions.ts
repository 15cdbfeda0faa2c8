import { statSync } from 'node:fs';
import type { Problem } from '@magpie/schema-messages';

/** Permission bit of a file that everybody may read. */
const READABLE_BY_ALL = 0o004;

/**
 * Warns of a configuration file that contains secrets and that every user of the machine can read. `secrets` are their
 * pointers. Called once per load; a file that cannot be examined is reported when it is read.
 */
export function permissionWarnings(path: string, secrets: readonly string[]): readonly Problem[] {
  const [pointer] = secrets;
  if (pointer === undefined) return [];
  const mode = readableByAll(path);
  if (mode === undefined) return [];
  return [
    {
      severity: 'warning',
      pointer,
      message: `this file contains a secret, and every user of this machine can read it (mode ${modeText(mode)})`,
      hint: 'remove the permission (chmod o-r), or replace the secret by ${env:NAME} or ${file:path}',
    },
  ];
}

/** The mode of a file that every user of the machine can read; undefined for any other, and where modes say nothing. */
export function readableByAll(path: string): number | undefined {
  const mode = process.platform === 'win32' ? undefined : modeOf(path);
  return mode !== undefined && (mode & READABLE_BY_ALL) !== 0 ? mode : undefined;
}

/** A mode as people write it: `0644`. */
export const modeText = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');

function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode;
  } catch {
    return undefined; // A link to itself, for example: reading it says what is wrong.
  }
}

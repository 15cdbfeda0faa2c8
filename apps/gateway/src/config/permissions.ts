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
  const mode = modeOf(path);
  if (pointer === undefined || mode === undefined || process.platform === 'win32') return [];
  if ((mode & READABLE_BY_ALL) === 0) return [];
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return [
    {
      severity: 'warning',
      pointer,
      message: `this file contains a secret, and every user of this machine can read it (mode ${shown})`,
      hint: 'remove the permission (chmod o-r), or replace the secret by ${env:NAME} or ${file:path}',
    },
  ];
}

function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode;
  } catch {
    return undefined; // A link to itself, for example: reading it says what is wrong.
  }
}

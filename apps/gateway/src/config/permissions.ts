import { statSync } from 'node:fs';
import type { Problem } from '@magpie/schema-messages';

/** Permission bit of a file that everybody may read. */
const READABLE_BY_ALL = 0o004;

/**
 * Warns of a configuration file that every user of the machine can read though secrets stand in it. `secrets` are their
 * pointers. Called once per load; a file that cannot be looked at is left to those who read it.
 */
export function permissionWarnings(path: string, secrets: readonly string[]): readonly Problem[] {
  const [pointer] = secrets;
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (pointer === undefined || mode === undefined || process.platform === 'win32') return [];
  if ((mode & READABLE_BY_ALL) === 0) return [];
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return [
    {
      severity: 'warning',
      pointer,
      message: `every user of this machine can read this file (mode ${shown}), and a secret stands in it`,
      hint: 'take the permission away (chmod o-r), or write ${env:NAME} or ${file:path} in its place',
    },
  ];
}

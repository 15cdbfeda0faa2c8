import { existsSync } from 'node:fs';
import { findProgram, run } from './run.ts';

/** The system's own Python, which the modules of Debian's packages belong to. */
const SYSTEM = '/usr/bin/python3';

const findPython = (): string | undefined => (existsSync(SYSTEM) ? SYSTEM : findProgram('python3'));

/** Whether Python is there and has this module; takes some hundredths of a second. Never throws. */
export async function pythonHas(module: string): Promise<boolean> {
  const python = findPython();
  if (python === undefined) return false;
  const look = `import importlib.util, sys; sys.exit(importlib.util.find_spec(${JSON.stringify(module)}) is None)`;
  return run(python, ['-c', look]).then(
    () => true,
    () => false,
  );
}

/**
 * Path of the Python that has the modules of the system's packages.
 * @throws Error saying how to get it.
 */
export function requirePython(): string {
  const python = findPython();
  if (python !== undefined) return python;
  throw new Error('The program "python3" was not found in PATH: install it (Debian: apt-get install python3-slixmpp).');
}

/**
 * What `npm start` and `npm run magpie` do first: installs the packages when the lock file says that others are needed, then
 * builds what has changed. Runs before anything is installed, so on whatever Node the machine has and with nothing but it.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const installed = join(root, 'node_modules', '.magpie-installed');

/** Of all that decides what an installation consists of, the runtime included. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const name of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'])
    hash.update(readFileSync(join(root, name)));
  return hash.digest('hex');
}

function isInstalled() {
  // The marker lies inside node_modules and goes with it; .modules.yaml is written when an installation is complete.
  if (!existsSync(installed) || !existsSync(join(root, 'node_modules', '.modules.yaml'))) return false;
  return readFileSync(installed, 'utf8') === fingerprint();
}

/** Runs a program with its output on this terminal; ends this process when it fails. */
function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) process.stderr.write(`setup: ${program} could not be run: ${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
}

if (!isInstalled()) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  run('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--loglevel=error']);
  writeFileSync(installed, fingerprint());
}
run(join(root, 'node_modules', '.bin', 'tsc'), ['-b']);

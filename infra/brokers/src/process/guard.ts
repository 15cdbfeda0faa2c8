import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Reads `watch <group>`, `forget <group>`, `compose <project>` and `decompose <project>` lines. When the pipe closes,
 * however this process ended, it kills the groups still watched, takes the Compose projects down and removes the temporary
 * root. A separate process is the only thing that survives a SIGKILL.
 */
const script = `trap '' HUP INT TERM
groups=' '
projects=' '
while read -r verb name; do
  case $verb in
    watch) groups="$groups$name " ;;
    forget) groups="\${groups%% $name *} \${groups#* $name }" ;;
    compose) projects="$projects$name " ;;
    decompose) projects="\${projects%% $name *} \${projects#* $name }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
for project in $projects; do docker compose -p "$project" down --volumes --remove-orphans >/dev/null 2>&1; done
rm -rf -- "$1"`;

/** Keeps what this process started from outliving it. One per process. */
export interface Guard {
  /** Directory for temporary data; removed when this process ends. */
  readonly root: string;
  /** Kills process group `group` when this process ends in any way, SIGKILL included. Called once per broker start. */
  watch(group: number): void;
  /** Takes back `watch`. Called when the group is gone, because its number may be reused. */
  forget(group: number): void;
  /** Takes the Compose project down when this process ends in any way. Called before its first container starts. */
  compose(project: string): void;
  /** Takes back `compose`. Called when the project is down. */
  decompose(project: string): void;
}

let shared: Guard | undefined;

/** Returns this process's guard, starting its watchdog (one `sh`) at the first call. */
export function guard(): Guard {
  shared ??= startGuard();
  return shared;
}

/** Makes and returns a new directory named after `prefix` below the guarded temporary root. */
export function temporaryDirectory(prefix: string): string {
  mkdirSync(guard().root, { recursive: true });
  return mkdtempSync(join(guard().root, `${prefix}-`));
}

function startGuard(): Guard {
  const root = mkdtempSync(join(tmpdir(), 'magpie-brokers-'));
  const watchdog = spawn('sh', ['-c', script, 'magpie-broker-guard', root], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watchdog.unref();
  // A socket has unref, the declared type Writable has not: without it the pipe would keep this process alive.
  if ('unref' in watchdog.stdin && typeof watchdog.stdin.unref === 'function') watchdog.stdin.unref();
  return {
    root,
    watch: (group) => void watchdog.stdin.write(`watch ${group}\n`),
    forget: (group) => void watchdog.stdin.write(`forget ${group}\n`),
    compose: (project) => void watchdog.stdin.write(`compose ${project}\n`),
    decompose: (project) => void watchdog.stdin.write(`decompose ${project}\n`),
  };
}

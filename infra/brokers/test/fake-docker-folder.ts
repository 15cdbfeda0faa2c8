import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** How the stand-in for `docker` behaves. */
export type FakeMode = 'works' | 'no-engine' | 'no-compose' | 'no-image' | 'no-register' | 'silent';

/** A call of the stand-in. */
export interface FakeCall {
  readonly words: readonly string[];
  readonly user?: string;
  readonly tls?: string;
}

/** A folder for PATH with a stand-in for `docker`; it goes with the test, and so does what it has started. */
export interface FakeDocker {
  readonly folder: string;
  /** Environment in which `docker` is the stand-in. */
  env(mode: FakeMode): Record<string, string>;
  calls(): readonly FakeCall[];
  /** Process ids of the "containers" that are up, one per project. */
  running(): readonly number[];
}

/** Makes a stand-in. */
export function fakeDocker(): FakeDocker {
  const folder = mkdtempSync(join(tmpdir(), 'magpie-fake-docker-'));
  const running = (): readonly number[] =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.pid'))
      .map((name) => Number(readFileSync(join(folder, name), 'utf8')));
  onTestFinished(() => {
    for (const pid of running()) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const program = fileURLToPath(new URL('./fake-docker.ts', import.meta.url));
  writeFileSync(join(folder, 'docker'), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`, { mode: 0o755 });
  const calls = join(folder, 'calls');
  return {
    folder,
    running,
    env: (mode) => ({ PATH: `${folder}:${process.env.PATH}`, FAKE_DOCKER: folder, FAKE_MODE: mode }),
    calls: () =>
      existsSync(calls)
        ? readFileSync(calls, 'utf8')
            .trim()
            .split('\n')
            .map((line): FakeCall => JSON.parse(line))
        : [],
  };
}

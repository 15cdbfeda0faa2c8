import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url));

/** A gateway in a process of its own, run from the sources as `magpie run` does. */
export interface GatewayProcess {
  /** URL of its API. */
  readonly url: string;
  readonly pid: number;
  /** Its exit code, once it has ended by itself or was ended. */
  readonly ended: Promise<number | null>;
  /** Everything it has logged so far. */
  logs(): string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves to the exit code. */
  terminate(): Promise<number | null>;
}

/** A place for a gateway: its configuration and data survive the process. */
export interface GatewayHome {
  readonly directory: string;
  readonly file: string;
  start(options?: { readonly ready?: boolean }): Promise<GatewayProcess>;
  /** Kills what runs and removes the directory. */
  remove(): Promise<void>;
}

/**
 * Makes a home with a configuration; `http.port` should be 0 so that several can run. `nodeFlags` are options of the runtime
 * for every gateway started there.
 */
export async function gatewayHome(
  configuration: string,
  name = 'magpie.yaml',
  nodeFlags: readonly string[] = [],
): Promise<GatewayHome> {
  const directory = await mkdtemp(join(tmpdir(), 'magpie-test-'));
  await mkdir(directory, { recursive: true });
  const file = join(directory, name);
  await writeFile(file, configuration);
  const running = new Set<GatewayProcess>();
  return {
    directory,
    file,
    start: async ({ ready = true } = {}) => {
      const started = await startProcess(file, nodeFlags);
      running.add(started);
      void started.ended.then(() => running.delete(started)); // with its logs: a long test starts thousands
      if (ready) await waitReady(started);
      return started;
    },
    remove: async () => {
      await Promise.all([...running].map((each) => each.kill()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Runs the CLI once and resolves to what it printed. */
export async function runCli(
  ...args: readonly string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawnMain(args);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: stdout(), stderr: stderr() };
}

function spawnMain(args: readonly string[], nodeFlags: readonly string[] = []): ChildProcess {
  const flags = ['--conditions=@magpie/source', '--disable-warning=ExperimentalWarning', ...nodeFlags];
  return spawn(process.execPath, [...flags, MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: string[] = [];
  stream?.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  return () => chunks.join('');
}

async function startProcess(file: string, nodeFlags: readonly string[]): Promise<GatewayProcess> {
  const child = spawnMain(['run', '-c', file], nodeFlags);
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null);
  const logs = (): string => stdout() + stderr();
  const url = await listening(child, logs);
  return {
    url,
    pid: child.pid!,
    ended,
    logs,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    terminate: async () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

const START_MS = 20_000;

async function listening(child: ChildProcess, logs: () => string): Promise<string> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const url = /"url":"(http[^"]+)"/.exec(logs())?.[1];
    if (url) return url;
    if (child.exitCode !== null) throw new Error(`the gateway exited with ${child.exitCode}:\n${logs()}`);
    if (performance.now() > deadline) throw new Error(`the gateway did not listen within ${START_MS} ms:\n${logs()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const READY_MS = 40_000;

/** Waits until every connection is up. */
export async function waitReady({ url, logs }: Pick<GatewayProcess, 'url' | 'logs'>): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const response = await fetch(`${url}/readyz`);
    if (response.ok) return;
    const body = await response.text();
    if (performance.now() > deadline) throw new Error(`the gateway is not ready: ${body}\n${logs()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

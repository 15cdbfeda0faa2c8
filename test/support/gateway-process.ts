import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Program, startProgram } from '@magpie/brokers';

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
      const started = await startGateway(file, nodeFlags);
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
  const cli = await startMagpie(args);
  const code = await cli.exited();
  return { code, stdout: cli.stdout(), stderr: cli.stderr() };
}

/** Starts a command of the CLI from the sources. */
export function startMagpie(args: readonly string[], nodeFlags: readonly string[] = []): Promise<Program> {
  const flags = ['--conditions=@magpie/source', '--disable-warning=ExperimentalWarning', ...nodeFlags];
  return startProgram(process.execPath, [...flags, MAIN, ...args]);
}

const START_MS = 20_000;

async function startGateway(file: string, nodeFlags: readonly string[]): Promise<GatewayProcess> {
  const program = await startMagpie(['run', '-c', file], nodeFlags);
  const listening = program.says(/"url":"(http[^"]+)"/, START_MS);
  const [, url = ''] = await listening.catch(async (error: unknown) => {
    await program.kill();
    throw error;
  });
  return {
    url,
    pid: program.pid,
    ended: program.exited(),
    logs: program.output,
    kill: async () => void (await program.kill()),
    terminate: () => {
      program.signal('SIGTERM');
      return program.exited();
    },
  };
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

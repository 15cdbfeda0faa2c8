import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@magpie/testkit';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
/** Program and first arguments of `magpie` from its sources. */
export const NODE = [process.execPath, '--conditions=@magpie/source', '--disable-warning=ExperimentalWarning', MAIN];

/** `magpie run` in a process of its own. */
export interface GatewayProcess {
  readonly child: ChildProcess;
  /** Everything it has printed so far. */
  output(): string;
  /** Resolves to how it ended. */
  readonly ended: Promise<number | null>;
  /** Resolves to the URL of the API once it listens. */
  listening(): Promise<string>;
}

/** One that listens. */
export interface RunningGateway extends GatewayProcess {
  readonly url: string;
}

/** Starts `magpie run` on a file, under a wrapper such as strace when given, and waits until it listens. */
export async function runGateway(file: string, wrapper: readonly string[] = []): Promise<RunningGateway> {
  const started = spawnGateway(file, { wrapper });
  return { ...started, url: await started.listening() };
}

/** Starts `magpie run` on a file; killed when the test ends. */
export function spawnGateway(
  file: string,
  { wrapper = [], options = [] }: { readonly wrapper?: readonly string[]; readonly options?: readonly string[] } = {},
): GatewayProcess {
  const [program = '', ...args] = [...wrapper, ...NODE, 'run', '-c', file, ...options];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
  }
  const output = (): string => chunks.join('');
  const ended = once(child, 'exit').then(([code]): number | null => code);
  onTestFinished(async () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
  });
  const url = () => /"url":"([^"]+)"/.exec(output())?.[1];
  const listening = () =>
    waitFor(url, { what: 'the gateway to listen', timeout: 20_000 }).catch((cause: Error) => {
      throw new Error(`${cause.message}\n${output()}`, { cause });
    });
  return { child, output, ended, listening };
}

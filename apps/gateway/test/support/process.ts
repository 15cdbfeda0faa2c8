import { fileURLToPath } from 'node:url';
import { type Program, startProgram } from '@magpie/brokers';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Program and first arguments of `magpie` from its sources. */
const NODE = [process.execPath, '--conditions=@magpie/source', '--disable-warning=ExperimentalWarning', MAIN];
const LISTEN_MS = 20_000;

/** `magpie run` in a process of its own. */
export interface GatewayProcess extends Program {
  /** Resolves to the URL of the API once it listens. */
  listening(): Promise<string>;
}

/** One that listens. */
export interface RunningGateway extends GatewayProcess {
  readonly url: string;
}

/** Runs `magpie` in a process of its own to its end. */
export async function magpie(
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const program = await startMagpie(args);
  const code = await program.exited();
  return { code, stderr: program.stderr() };
}

/** Starts `magpie run` on a file, under a wrapper such as strace when given, and waits until it listens. */
export async function runGateway(
  file: string,
  wrapper: readonly string[] = [],
  options: readonly string[] = [],
): Promise<RunningGateway> {
  const started = await startGateway(file, { wrapper, options });
  return Object.assign(started, { url: await started.listening() });
}

/** Starts `magpie run` on a file; killed when the test ends. */
export async function startGateway(
  file: string,
  { wrapper = [], options = [] }: { readonly wrapper?: readonly string[]; readonly options?: readonly string[] } = {},
): Promise<GatewayProcess> {
  const program = await startMagpie(['run', '-c', file, ...options], wrapper);
  const listening = async (): Promise<string> => (await program.says(/"url":"([^"]+)"/, LISTEN_MS))[1]!;
  return Object.assign(program, { listening });
}

async function startMagpie(args: readonly string[], wrapper: readonly string[] = []): Promise<Program> {
  const [file = '', ...before] = [...wrapper, ...NODE];
  const program = await startProgram(file, [...before, ...args]);
  onTestFinished(async () => void (await program.kill()));
  return program;
}

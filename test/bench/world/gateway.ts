import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Contender, Running, Site } from '../paths/path.ts';
import { type Child, ownDirectory, startChild } from './child.ts';

const MAIN = join(import.meta.dirname, '../../../apps/gateway/dist/main.js');
const READY_MS = 60_000;

/** Connections and routes of a configuration; the rest is the same everywhere. */
export interface GatewaySetup {
  readonly connections: Readonly<Record<string, object>>;
  readonly routes?: Readonly<Record<string, object>>;
}

/** What the gateway promises wherever it is not said otherwise. */
export const DURABLE = 'at least once, on disk before it is acknowledged';

/** How the gateway takes part. */
export interface GatewayOptions {
  /** Default `Magpie`. */
  readonly name?: string;
  readonly guarantee?: string;
  readonly setup: (site: Site) => GatewaySetup;
  /** What to run instead when this build does not know a key of the setup, and what that means. */
  readonly fallback?: { readonly key: string; readonly setup: (site: Site) => GatewaySetup; readonly note: string };
  readonly ends?: Contender['ends'];
}

/** The gateway as a contender: built, in a process of its own, as `magpie run` starts it. */
export const gateway = ({
  name = 'Magpie',
  guarantee = DURABLE,
  setup,
  fallback,
  ends,
}: GatewayOptions): Contender => ({
  name,
  guarantee,
  process: 'magpie',
  start: async (site) => {
    try {
      return await startGateway(setup(site), { notes: [] });
    } catch (error) {
      if (!fallback || !(error instanceof Error) || !String(error.cause).includes(fallback.key)) throw error;
      return startGateway(fallback.setup(site), { notes: [fallback.note] });
    }
  },
  ...(ends ? { ends } : {}),
});

/** A gateway that runs. */
export interface RunningGateway extends Running {
  readonly url: string;
  /** SIGKILL; resolves when it is gone. Its log stays for the next one in the same directory. */
  kill(): Promise<void>;
  /** MB in use by its main thread once all garbage is collected, which stops it for a moment. */
  liveMemory(): Promise<number>;
}

/** How a gateway is started. */
export interface StartOptions {
  /** The directory of an existing log; default an empty one. */
  readonly directory?: string;
  readonly notes?: readonly string[];
  /** Whether `liveMemory` will be asked for. */
  readonly live?: boolean;
}

/** Starts a gateway, on an existing log where a directory is given; resolves when every connection is up. */
export async function startGateway(
  setup: GatewaySetup,
  { directory = ownDirectory(), notes = [], live = false }: StartOptions = {},
): Promise<RunningGateway> {
  if (!existsSync(MAIN)) throw new Error('is not built: run npm run build');
  const configuration = { version: 1, gateway: { id: 'bench', dataDir: './data' }, http: { port: 0 }, ...setup };
  writeFileSync(join(directory, 'magpie.yaml'), JSON.stringify(configuration));
  const child = await startChild(
    process.execPath,
    [...profiled(), ...(live ? LIVE : []), MAIN, 'run', '-c', 'magpie.yaml'],
    {
      directory,
    },
  );
  try {
    const [, url = ''] = await child.says(/"url":"(http[^"]+)"/);
    await ready(url, child);
    return { ...child, url, port: Number(new URL(url).port), notes, liveMemory: () => liveMemory(child) };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

const LIVE = ['--expose-gc', '--import', pathToFileURL(join(import.meta.dirname, 'live-memory.ts')).href];

async function liveMemory(child: Child): Promise<number> {
  const said = (): readonly RegExpExecArray[] => [...child.output().matchAll(/^live (\d+)$/gm)];
  const before = said().length;
  process.kill(child.pid, 'SIGUSR2');
  const deadline = performance.now() + READY_MS;
  while (said().length === before) {
    if (performance.now() > deadline) throw new Error('did not say how much memory is in use');
    await sleep(20);
  }
  return Number(said().at(-1)![1]) / 2 ** 20;
}

/** With MAGPIE_CPU_PROF the gateway writes a CPU profile into that directory when it ends; the figures are worse then. */
function profiled(): readonly string[] {
  const directory = process.env.MAGPIE_CPU_PROF;
  return directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`];
}

/** Waits until every connection is up. */
async function ready(url: string, child: Child): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const response = await fetch(`${url}/readyz`);
    if (response.ok) return;
    const body = await response.text();
    if (performance.now() > deadline)
      throw new Error(`was not ready within ${READY_MS / 1000} s: ${body} ${child.output()}`);
    await sleep(50);
  }
}

import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RUN_MARK, type RunMark } from './command.ts';
import { type Step, verdict } from './step.ts';

/** A process that lives on. */
export interface Leftover {
  readonly pid: number;
  /** Its command line. */
  readonly command: string;
}

/** Time for what is just ending to be gone. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 100;

/**
 * The processes of a run that are alive, this one excepted: those that were started with its mark in their environment, however
 * far they have gone from their parents. Looks again until there is none or `patienceMs` are over. Only looks: nothing is ended.
 * @returns undefined where the system does not tell the environment of a process.
 */
export async function leftovers(mark: RunMark, patienceMs = PATIENCE_MS): Promise<readonly Leftover[] | undefined> {
  if (process.platform !== 'linux') return undefined;
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const alive = await marked(mark);
    if (alive.length === 0 || performance.now() > deadline) return alive;
    await sleep(LOOK_MS);
  }
}

async function marked({ name, value }: RunMark): Promise<readonly Leftover[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const looks = pids.map(async (pid): Promise<readonly Leftover[]> => {
    const environment = await readParts(pid, 'environ');
    if (pid === process.pid || !environment.includes(`${name}=${value}`)) return [];
    return [{ pid, command: (await readParts(pid, 'cmdline')).join(' ').trim() }];
  });
  return (await Promise.all(looks)).flat();
}

/** The texts of a file of /proc; none of a process that has ended or belongs to another user. */
async function readParts(pid: number, file: 'environ' | 'cmdline'): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  return text.split('\0');
}

/** Fails when anything that the steps before it have started lives on. */
export const leftoversStep: Step = {
  name: 'nothing started lives on',
  run: async () => {
    const alive = await leftovers(RUN_MARK);
    if (alive !== undefined) return verdict(alive.length === 0, describeLeftovers(alive));
    process.stdout.write(`    not checked on ${process.platform}\n`);
    return { passed: 0, failed: 0, skipped: 1, output: '' };
  },
};

const describeLeftovers = (alive: readonly Leftover[]): string =>
  `started by this run and still alive:\n${alive.map(({ pid, command }) => `  ${pid}: ${command}`).join('\n')}`;

import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { run, startMosquitto, startProsody, startRabbitmq } from '@magpie/brokers';
import { ROOT } from '../../../infra/checks/command.ts';

/** What a run ran on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
}

/** What was run. */
export interface Versions {
  readonly magpie: string;
  /** Absent outside a git work tree; ends in `+` when the sources differ from the commit. */
  readonly commit?: string;
  readonly node: string;
  readonly mosquitto: string;
  readonly rabbitmq: string;
  readonly prosody: string;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  const limit = process.constrainedMemory();
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return {
    cpu: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(bytes / 2 ** 30),
    kernel: `${type()} ${release()}`,
  };
}

/**
 * Asks everything that takes part for its version. Starts each broker once, which also shows that it can be started.
 * @throws Error with the log of a broker that does not start.
 */
export async function describeVersions(): Promise<Versions> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const brokers = await Promise.all([startMosquitto(), startRabbitmq(), startProsody()]);
  const [mosquitto, rabbitmq, prosody] = brokers.map((broker) => broker.version);
  await Promise.all(brokers.map((broker) => broker.stop()));
  const commit = await describeCommit();
  return {
    magpie: version,
    ...(commit === undefined ? {} : { commit }),
    ...{ node: process.versions.node, mosquitto: mosquitto!, rabbitmq: rabbitmq!, prosody: prosody! },
  };
}

async function describeCommit(): Promise<string | undefined> {
  const git = async (...args: readonly string[]): Promise<string> => (await run('git', args, { cwd: ROOT })).trim();
  try {
    const changed = await git('status', '--porcelain', '--untracked-files=no', '--', ':!apps/docs');
    return `${await git('rev-parse', '--short=10', 'HEAD')}${changed === '' ? '' : '+'}`;
  } catch {
    return undefined; // An unpacked archive, or no git on this machine.
  }
}

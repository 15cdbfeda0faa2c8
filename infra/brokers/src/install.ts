import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { pythonHas } from './process/python.ts';
import { findProgram, messageOf, run } from './process/run.ts';

/** What {@link ensureBrokers} found or achieved. */
export interface BrokerAvailability {
  /** Programs still missing; empty when all brokers can be started. */
  readonly missing: readonly string[];
  /** A sentence for the user: what is missing and how to get it, or that all is there. */
  readonly reason: string;
  /** Whether this call installed what was missing. */
  readonly installed: boolean;
}

type Progress = (sentence: string) => void;

/** What can be asked for: the brokers, and the client library that plays a person in tests. */
export type Installable = 'mosquitto' | 'rabbitmq' | 'prosody' | 'ejabberd' | 'slixmpp';

/** How {@link ensureBrokers} goes about it. */
export interface EnsureOptions {
  /** What is needed. Default: everything. */
  readonly wanted?: readonly Installable[];
  /** Called with a sentence about each step that takes time. */
  readonly progress?: Progress;
  /** Whether missing packages may be installed. Default true. */
  readonly install?: boolean;
}

/** The Debian package of each, and the programs of it that are run; slixmpp is none but a module of Python. */
const packages: Readonly<Record<Installable, { readonly name: string; readonly programs: readonly string[] }>> = {
  mosquitto: { name: 'mosquitto', programs: ['mosquitto'] },
  rabbitmq: { name: 'rabbitmq-server', programs: ['rabbitmq-server', 'epmd'] },
  prosody: { name: 'prosody', programs: ['prosody', 'prosodyctl'] },
  ejabberd: { name: 'ejabberd', programs: ['ejabberdctl'] },
  slixmpp: { name: 'python3-slixmpp', programs: [] },
};

const EVERYTHING: readonly Installable[] = ['mosquitto', 'rabbitmq', 'prosody', 'ejabberd', 'slixmpp'];

/** A missing program or module. */
interface Missing {
  /** A program, or `slixmpp`. */
  readonly what: string;
  readonly package: string;
}

/**
 * Makes sure that what is wanted is there, and openssl: takes what is installed, and as root on Debian or Ubuntu installs
 * the rest with apt-get, without letting their system services run. Takes milliseconds when nothing is missing, else one to
 * three minutes. Called once by `npm start` and once per test run.
 * @returns what is still missing and why; never throws for a failed installation.
 */
export async function ensureBrokers(options: EnsureOptions = {}): Promise<BrokerAvailability> {
  const wanted = options.wanted ?? EVERYTHING;
  const missing = await missingOf(wanted);
  if (missing.length === 0) return result(missing, 'All brokers are installed.');
  const obstacle = obstacleToInstalling(options.install ?? true);
  if (obstacle !== undefined) return result(missing, sentence(missing, obstacle));
  return installMissing(wanted, missing, options.progress ?? (() => undefined));
}

const result = (missing: readonly Missing[], reason: string, installed = false): BrokerAvailability => ({
  missing: missing.map(({ what }) => what),
  reason,
  installed,
});

async function installMissing(
  wanted: readonly Installable[],
  missing: readonly Missing[],
  progress: Progress,
): Promise<BrokerAvailability> {
  try {
    await installPackages(packagesOf(missing), progress);
  } catch (error) {
    return result(await missingOf(wanted), sentence(missing, `apt-get failed: ${messageOf(error)}`));
  }
  const still = await missingOf(wanted);
  if (still.length > 0) return result(still, sentence(still, 'apt-get did not bring them'));
  return result(still, 'All brokers are installed now.', true);
}

async function missingOf(wanted: readonly Installable[]): Promise<readonly Missing[]> {
  const programs = wanted.flatMap((each) => {
    const { name, programs } = packages[each];
    return programs.map((what) => ({ what, package: name }));
  });
  const missing = [...programs, { what: 'openssl', package: 'openssl' }].filter(
    ({ what }) => findProgram(what) === undefined,
  );
  const lacksModule = wanted.includes('slixmpp') && !(await pythonHas('slixmpp'));
  return lacksModule ? [...missing, { what: 'slixmpp', package: packages.slixmpp.name }] : missing;
}

const packagesOf = (missing: readonly Missing[]): readonly string[] => [
  ...new Set(missing.map(({ package: name }) => name)),
];

/** Says why apt-get cannot be used here, or returns undefined. */
function obstacleToInstalling(allowed: boolean): string | undefined {
  if (!allowed) return 'installing was not asked for';
  if (findProgram('apt-get') === undefined) return 'this system has no apt-get';
  if (process.getuid?.() !== 0) return 'installing them needs root';
  return undefined;
}

function sentence(missing: readonly Missing[], why: string): string {
  const wanted = packagesOf(missing).join(' ');
  return `Real brokers are not complete: ${missing.map(({ what }) => what).join(', ')} not found, and ${why}. Install them with "apt-get install ${wanted}" or your system's packages (macOS: brew install mosquitto rabbitmq prosody ejabberd, pip install slixmpp).`;
}

/**
 * Installs Debian packages without starting the services they bring.
 * @throws Error with apt-get's output when it fails.
 */
export async function installPackages(names: readonly string[], progress: Progress): Promise<void> {
  const aptGet = findProgram('apt-get') ?? 'apt-get';
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const action = async () => {
    progress('Updating the list of packages (apt-get update).');
    await run(aptGet, ['update', '-q'], { env });
    progress(`Installing ${names.join(', ')} with apt-get; this takes one to three minutes.`);
    await run(aptGet, ['install', '-y', '-q', '--no-install-recommends', ...names], { env });
  };
  if (existsSync(policyFile)) {
    await action();
    await stopServices(names);
  } else {
    await withoutServices(action);
  }
}

const policyFile = '/usr/sbin/policy-rc.d';

/** Debian's packages ask this file before they start a service; 101 means: not allowed. One that exists is respected. */
async function withoutServices(action: () => Promise<void>): Promise<void> {
  await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await action();
  } finally {
    await rm(policyFile, { force: true });
  }
}

/**
 * For systems whose own policy may have let the services start: only those just installed, and only by their service name.
 * Not for others, because to stop an ejabberd that does not run starts the name server of Erlang, which stays.
 */
async function stopServices(names: readonly string[]): Promise<void> {
  const service = findProgram('service');
  if (service === undefined) return;
  const brokers = names.filter((name) => name !== 'openssl' && name !== packages.slixmpp.name);
  // A service that does not run, or a system without an init, answers with an error: then there is nothing to stop.
  await Promise.allSettled(brokers.map((name) => run(service, [name, 'stop'])));
}

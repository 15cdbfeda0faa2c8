import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
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

/** How {@link ensureBrokers} goes about it. */
export interface EnsureOptions {
  /** Told in plain sentences what takes time. */
  readonly progress?: Progress;
  /** Whether missing packages may be installed. Default true. */
  readonly install?: boolean;
}

/** Each program a `start…` function runs, and the Debian package that brings it. */
const packages: Readonly<Record<string, string>> = {
  mosquitto: 'mosquitto',
  'rabbitmq-server': 'rabbitmq-server',
  epmd: 'rabbitmq-server',
  prosody: 'prosody',
  prosodyctl: 'prosody',
  openssl: 'openssl',
};

/**
 * Makes sure that Mosquitto, RabbitMQ, Prosody and openssl are there: takes what is installed, and as root on Debian or
 * Ubuntu installs the rest with apt-get, without letting their system services run. Takes milliseconds when nothing is
 * missing, else one to three minutes. Called once by `npm start` and once per test run.
 * @returns what is still missing and why; never throws for a failed installation.
 */
export async function ensureBrokers(options: EnsureOptions = {}): Promise<BrokerAvailability> {
  const missing = missingPrograms();
  if (missing.length === 0) return result(missing, 'All brokers are installed.');
  const obstacle = obstacleToInstalling(options.install ?? true);
  if (obstacle !== undefined) return result(missing, sentence(missing, obstacle));
  return installMissing(missing, options.progress ?? (() => undefined));
}

const result = (missing: readonly string[], reason: string, installed = false): BrokerAvailability => ({
  missing,
  reason,
  installed,
});

async function installMissing(missing: readonly string[], progress: Progress): Promise<BrokerAvailability> {
  try {
    await installPackages(packagesOf(missing), progress);
  } catch (error) {
    return result(missingPrograms(), sentence(missing, `apt-get failed: ${messageOf(error)}`));
  }
  const still = missingPrograms();
  if (still.length > 0) return result(still, sentence(still, 'apt-get did not bring them'));
  return result(still, 'All brokers are installed now.', true);
}

const missingPrograms = () => Object.keys(packages).filter((program) => findProgram(program) === undefined);

function packagesOf(programs: readonly string[]): string[] {
  return [...new Set(programs.flatMap((program) => packages[program] ?? []))];
}

/** Says why apt-get cannot be used here, or returns undefined. */
function obstacleToInstalling(allowed: boolean): string | undefined {
  if (!allowed) return 'installing was not asked for';
  if (findProgram('apt-get') === undefined) return 'this system has no apt-get';
  if (process.getuid?.() !== 0) return 'installing them needs root';
  return undefined;
}

function sentence(missing: readonly string[], why: string): string {
  const wanted = packagesOf(missing).join(' ');
  return `Real brokers are not complete: ${missing.join(', ')} not found, and ${why}. Install them with "apt-get install ${wanted}" or your system's packages (macOS: brew install mosquitto rabbitmq prosody).`;
}

/**
 * Installs Debian packages without starting the services they bring.
 * @throws Error with apt-get's output when it fails.
 */
export async function installPackages(names: readonly string[], progress: Progress): Promise<void> {
  const aptGet = findProgram('apt-get') ?? 'apt-get';
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await withoutServices(async () => {
    progress('Updating the list of packages (apt-get update).');
    await run(aptGet, ['update', '-q'], { env });
    progress(`Installing ${names.join(', ')} with apt-get; this takes one to three minutes.`);
    await run(aptGet, ['install', '-y', '-q', '--no-install-recommends', ...names], { env });
  });
  await stopServices(names);
}

const policyFile = '/usr/sbin/policy-rc.d';

/** Debian's packages ask this file before they start a service; 101 means: not allowed. One that exists is respected. */
async function withoutServices(action: () => Promise<void>): Promise<void> {
  if (existsSync(policyFile)) return action();
  await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await action();
  } finally {
    await rm(policyFile, { force: true });
  }
}

/** For systems whose own policy let the services start: only those just installed, and only by their service name. */
async function stopServices(names: readonly string[]): Promise<void> {
  const service = findProgram('service');
  if (service === undefined) return;
  const brokers = names.filter((name) => name !== 'openssl');
  // A service that does not run, or a system without an init, answers with an error: then there is nothing to stop.
  await Promise.allSettled(brokers.map((name) => run(service, [name, 'stop'])));
}

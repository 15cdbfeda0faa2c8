import { mkdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker, BrokerUser, StartOptions } from './broker.ts';
import { guard, temporaryDirectory } from './process/guard.ts';
import { choosePorts } from './process/ports.ts';
import { type Greeting, greets } from './process/probe.ts';
import { type Program, startProgram } from './process/program.ts';
import { type TlsFiles, tlsFiles } from './tls.ts';

/** The login that every broker has unless the caller names others. It guards nothing: brokers listen on 127.0.0.1 only. */
export const defaultUser: BrokerUser = { name: 'magpie', password: 'magpie-secret' };

/** What a broker kind can build its configuration from. */
export interface Setting<PortName extends string> {
  readonly dataDir: string;
  readonly ports: Readonly<Record<PortName, number>>;
  readonly tls: TlsFiles;
  /** The certificate to serve: `tls.certificate`, or the expired one if the caller wants that. */
  readonly certificate: string;
}

/** The program of a broker; it stays in the foreground. */
export interface BrokerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** What differs between the brokers; everything else is in {@link launch}. */
export interface BrokerKind<PortName extends string, UrlName extends string> {
  readonly name: Broker['name'];
  readonly portNames: readonly PortName[];
  readonly users: readonly [BrokerUser, ...BrokerUser[]];
  /** Writes configuration and users below `dataDir`; called before every start, so it must be repeatable. */
  prepare(setting: Setting<PortName>): Promise<void>;
  command(setting: Setting<PortName>): BrokerCommand;
  /** What can be done only while it runs, such as making users; called after every start, so it must be repeatable. */
  settle?(setting: Setting<PortName>): Promise<void>;
  /** Listeners that must answer before the broker counts as ready. */
  readonly greetings: ReadonlyArray<readonly [PortName, Greeting]>;
  /** Finds the version, as its first group, in the log. */
  readonly version: RegExp;
  urls(ports: Readonly<Record<PortName, number>>): Record<UrlName, string>;
  control(setting: Setting<PortName>, args: readonly string[]): Promise<string>;
}

/** Options as {@link launch} needs them: users are already in the kind. */
export type LaunchOptions<PortName extends string> = Omit<StartOptions<PortName>, 'users' | 'extraConfig' | 'env'>;

/**
 * Starts one broker and resolves when all its listeners answer. Port clashes are tried again with other ports.
 * @throws Error with the end of the broker's log when it exits or does not answer in time.
 */
export async function launch<PortName extends string, UrlName extends string>(
  kind: BrokerKind<PortName, UrlName>,
  options: LaunchOptions<PortName>,
): Promise<Broker<PortName, UrlName>> {
  for (let attempt = 1; ; attempt += 1) {
    const instance = await instanceOf(kind, options);
    try {
      await instance.start();
      return instance.broker();
    } catch (error) {
      const clash = /address already in use|eaddrinuse/i.test(instance.logs(64 * 1024));
      await instance.discard();
      if (!clash || attempt === 4) throw error;
    }
  }
}

async function instanceOf<PortName extends string, UrlName extends string>(
  kind: BrokerKind<PortName, UrlName>,
  options: LaunchOptions<PortName>,
) {
  const dataDir = options.dataDir ?? temporaryDirectory(kind.name);
  mkdirSync(dataDir, { recursive: true });
  const ports = await choosePorts(kind.portNames, options.ports);
  const tls = await tlsFiles(options.dataDir === undefined ? join(guard().root, 'tls') : join(dataDir, 'tls'));
  const certificate = options.expiredCertificate === true ? tls.expiredCertificate : tls.certificate;
  const setting: Setting<PortName> = { dataDir, ports, tls, certificate };
  return running(kind, setting, options);
}

function running<PortName extends string, UrlName extends string>(
  kind: BrokerKind<PortName, UrlName>,
  setting: Setting<PortName>,
  options: LaunchOptions<PortName>,
) {
  const { dataDir, ports, tls } = setting;
  const logFile = join(dataDir, 'broker.log');
  const logs = (bytes = 16 * 1024) => tail(logFile, bytes);
  let current: Program | undefined;
  const start = async () => {
    await kind.prepare(setting);
    const { file, args, env } = kind.command(setting);
    current = await startProgram(file, args, { env, cwd: dataDir, logFile });
    await untilReady(kind, ports, current, options.readyTimeout ?? 60_000, logs);
    await kind.settle?.(setting);
  };
  const end = async () => current?.stop();
  const discard = async () => {
    await current?.kill();
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  const broker = (): Broker<PortName, UrlName> => ({
    name: kind.name,
    version: kind.version.exec(logs(1024 * 1024))?.[1] ?? 'unknown',
    host: '127.0.0.1',
    ports,
    urls: kind.urls(ports),
    users: kind.users,
    ca: tls.ca,
    tls,
    dataDir,
    get pid() {
      return current?.running === true ? current.pid : undefined;
    },
    kill: async () => void (await current?.kill()),
    stop: async () => {
      await end();
      await discard();
    },
    pause: async () => current?.freeze(),
    resume: () => current?.resume(),
    restart: async () => {
      await end();
      await start();
    },
    logs,
    control: (...args) => kind.control(setting, args),
  });
  return { start, discard, logs, broker };
}

/** Asks every listener again and again until each answered once. */
async function untilReady<PortName extends string>(
  kind: Pick<BrokerKind<PortName, string>, 'name' | 'greetings'>,
  ports: Readonly<Record<PortName, number>>,
  process: Program,
  timeout: number,
  logs: () => string,
): Promise<void> {
  const deadline = performance.now() + timeout;
  for (const [port, greeting] of kind.greetings) {
    while (!(await greets(ports[port], greeting, 1000))) {
      const problem = problemOf(process, deadline, timeout);
      if (problem !== undefined) {
        throw new Error(`${kind.name} ${problem} (port ${port}: ${ports[port]}). The end of its log:\n${logs()}`);
      }
      await sleep(25);
    }
  }
  // Somebody else's broker may have answered on a port that ours failed to get.
  if (!process.running) throw new Error(`${kind.name} exited at its start. The end of its log:\n${logs()}`);
}

function problemOf(process: Program, deadline: number, timeout: number): string | undefined {
  if (!process.running) return 'exited before it answered';
  if (performance.now() > deadline) return `did not answer within ${timeout} ms`;
  return undefined;
}

function tail(file: string, bytes: number): string {
  try {
    const content = readFileSync(file);
    return content.subarray(Math.max(0, content.length - bytes)).toString('utf8');
  } catch {
    // No log file yet, or already removed by stop(): then there is nothing to show.
    return '';
  }
}

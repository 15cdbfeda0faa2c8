import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { Broker, BrokerUser, StartOptions } from '../broker.ts';
import { type BrokerKind, defaultUser, launch, type Setting } from '../launch.ts';
import { mqttGreeting } from '../process/probe.ts';
import { requireProgram } from '../process/run.ts';

/** `plain` and `tls` listeners; both take MQTT 3.1.1 and 5. */
export type MosquittoPort = 'plain' | 'tls';
/** `plain` and `tls` carry the first user's login, `anonymous` none. */
export type MosquittoUrl = 'plain' | 'tls' | 'anonymous';
/** A Mosquitto that this process started. */
export type MosquittoBroker = Broker<MosquittoPort, MosquittoUrl>;

/** A login of Mosquitto with its rights. */
export interface MosquittoUser extends BrokerUser {
  /** Lines of Mosquitto's ACL file for this user, such as `topic read plant/#`. Default: everything. */
  readonly acl?: readonly string[];
}

/** What {@link startMosquitto} takes. */
export interface MosquittoOptions extends StartOptions<MosquittoPort, MosquittoUser> {
  /** Whether a client without a user name may connect, with all rights. Default true. */
  readonly anonymous?: boolean;
  /** Write every change to disk within a second, so that SIGKILL loses as little as Mosquitto can. Default true. */
  readonly persistence?: boolean;
}

/**
 * Starts Mosquitto with MQTT 3.1.1 and 5 on a plain and a TLS listener of 127.0.0.1; takes about 0.1 s.
 * @throws Error when it is not installed, or with its log when it does not start.
 */
export function startMosquitto(options: MosquittoOptions = {}): Promise<MosquittoBroker> {
  return launch(mosquitto(options), options);
}

function mosquitto(options: MosquittoOptions): BrokerKind<MosquittoPort, MosquittoUrl> {
  const [first = defaultUser, ...others] = options.users ?? [];
  const login = `${encodeURIComponent(first.name)}:${encodeURIComponent(first.password)}@`;
  return {
    name: 'mosquitto',
    portNames: ['plain', 'tls'],
    users: [first, ...others],
    prepare: (setting) => prepare(setting, options, [first, ...others]),
    command: ({ dataDir }) => ({
      file: requireProgram('mosquitto'),
      args: ['-c', join(dataDir, 'mosquitto.conf')],
      env: options.env ?? {},
    }),
    greetings: [['plain', mqttGreeting]],
    version: /mosquitto version (\S+) starting/,
    urls: ({ plain, tls }) => ({
      plain: `mqtt://${login}127.0.0.1:${plain}`,
      tls: `mqtts://${login}127.0.0.1:${tls}`,
      anonymous: `mqtt://127.0.0.1:${plain}`,
    }),
    control: async () => {
      throw new Error('Mosquitto has no control program; change its files and call restart() instead.');
    },
  };
}

async function prepare(
  setting: Setting<MosquittoPort>,
  options: MosquittoOptions,
  users: readonly MosquittoUser[],
): Promise<void> {
  const at = (name: string) => join(setting.dataDir, name);
  const passwords = users.map(({ name, password }) => `${name}:${passwordHash(password)}\n`).join('');
  await writeFile(at('passwords'), passwords, { mode: 0o600 });
  await writeFile(at('acl'), aclFile(users));
  await writeFile(
    at('mosquitto.conf'),
    `${[...configuration(setting, options), ...(options.extraConfig ?? [])].join('\n')}\n`,
  );
}

/** The format `mosquitto_passwd` writes: PBKDF2 with SHA-512, few rounds because these passwords guard nothing. */
function passwordHash(password: string): string {
  const rounds = 101;
  const salt = randomBytes(12);
  const digest = pbkdf2Sync(password, salt, rounds, 64, 'sha512');
  return `$7$${rounds}$${salt.toString('base64')}$${digest.toString('base64')}`;
}

/** Lines before the first `user` are the anonymous client's. */
function aclFile(users: readonly MosquittoUser[]): string {
  const everything = ['topic readwrite #', 'topic read $SYS/#'];
  const sections = users.map(({ name, acl = everything }) => [`user ${name}`, ...acl].join('\n'));
  return `${[everything.join('\n'), ...sections].join('\n\n')}\n`;
}

function configuration(
  { dataDir, ports, tls, certificate }: Setting<MosquittoPort>,
  options: MosquittoOptions,
): string[] {
  const persistence = options.persistence ?? true;
  return [
    // Mosquitto would otherwise change to its system user, who may not read this folder.
    `user ${userInfo().username}`,
    'log_dest stderr',
    'log_type error',
    'log_type warning',
    'log_type notice',
    'log_type information',
    `allow_anonymous ${options.anonymous ?? true}`,
    `password_file ${join(dataDir, 'passwords')}`,
    `acl_file ${join(dataDir, 'acl')}`,
    `persistence ${persistence}`,
    ...(persistence ? ['autosave_on_changes true', 'autosave_interval 1', `persistence_location ${dataDir}/`] : []),
    'max_inflight_messages 1000',
    'max_queued_messages 1000000',
    'set_tcp_nodelay true',
    `listener ${ports.plain} 127.0.0.1`,
    `listener ${ports.tls} 127.0.0.1`,
    `cafile ${tls.ca}`,
    `certfile ${certificate}`,
    `keyfile ${tls.key}`,
  ];
}

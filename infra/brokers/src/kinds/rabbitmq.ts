import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Broker, BrokerUser, StartOptions } from '../broker.ts';
import { type BrokerKind, defaultUser, launch, type Setting } from '../launch.ts';
import { amqpGreeting } from '../process/probe.ts';
import { requireProgram, run } from '../process/run.ts';

/** `distribution` is the Erlang node's own port and `epmd` its name server's; only `rabbitmqctl` uses them. */
export type RabbitmqPort = 'plain' | 'tls' | 'distribution' | 'epmd';
/** Both carry the first user's login and the virtual host `/`. */
export type RabbitmqUrl = 'plain' | 'tls';
/** A RabbitMQ that this process started. */
export type RabbitmqBroker = Broker<RabbitmqPort, RabbitmqUrl>;

/** A login of RabbitMQ with its rights. */
export interface RabbitmqUser extends BrokerUser {
  /** Patterns of names the user may use in the virtual host `/`. Default: everything. */
  readonly permissions?: { readonly configure: string; readonly write: string; readonly read: string };
  /** Such as `administrator`. Default none. */
  readonly tags?: readonly string[];
}

/** What {@link startRabbitmq} takes. */
export interface RabbitmqOptions extends StartOptions<RabbitmqPort, RabbitmqUser> {
  /** Plugins to switch on, such as `rabbitmq_amqp1_0`. Default none, for a quick start. */
  readonly plugins?: readonly string[];
}

/** Constant, because RabbitMQ names its data folder after the node; own epmd ports keep several nodes apart. */
const node = 'magpie@localhost';

/**
 * Starts RabbitMQ with AMQP 0-9-1 on a plain and a TLS listener of 127.0.0.1; takes 4 to 10 s and about 150 MB.
 * @throws Error when it is not installed, or with its log when it does not start.
 */
export function startRabbitmq(options: RabbitmqOptions = {}): Promise<RabbitmqBroker> {
  return launch(rabbitmq(options), options);
}

function rabbitmq(options: RabbitmqOptions): BrokerKind<RabbitmqPort, RabbitmqUrl> {
  const [first = defaultUser, ...others] = options.users ?? [];
  const login = `${encodeURIComponent(first.name)}:${encodeURIComponent(first.password)}@`;
  return {
    name: 'rabbitmq',
    portNames: ['plain', 'tls', 'distribution', 'epmd'],
    users: [first, ...others],
    prepare: (setting) => prepare(setting, options, [first, ...others]),
    command: (setting) => command(setting, options),
    greetings: [['plain', amqpGreeting]],
    version: /Starting RabbitMQ (\S+)/,
    urls: ({ plain, tls }) => ({
      plain: `amqp://${login}127.0.0.1:${plain}`,
      tls: `amqps://${login}127.0.0.1:${tls}`,
    }),
    control: (setting, args) =>
      run(requireProgram('rabbitmqctl'), ['--node', node, ...args], { env: environment(setting, options) }),
  };
}

/**
 * epmd runs in the foreground of the node's own process group, so that it ends with it: the one RabbitMQ would start
 * itself becomes a daemon and stays for ever. `exec` makes the shell's process id the node's.
 */
function command(setting: Setting<RabbitmqPort>, options: RabbitmqOptions) {
  return {
    file: 'sh',
    args: [
      '-c',
      '"$1" -port "$2" & exec "$3"',
      'rabbitmq',
      requireProgram('epmd'),
      `${setting.ports.epmd}`,
      requireProgram('rabbitmq-server'),
    ],
    env: environment(setting, options),
  };
}

async function prepare(
  setting: Setting<RabbitmqPort>,
  options: RabbitmqOptions,
  users: readonly RabbitmqUser[],
): Promise<void> {
  const at = (name: string) => join(setting.dataDir, name);
  await writeFile(at('enabled_plugins'), `[${(options.plugins ?? []).join(',')}].\n`);
  await writeFile(at('definitions.json'), JSON.stringify(definitions(users)));
  const lines = [...configuration(setting), ...(options.extraConfig ?? [])];
  await writeFile(at('rabbitmq.conf'), `${lines.join('\n')}\n`);
}

function configuration({ dataDir, ports, tls, certificate }: Setting<RabbitmqPort>): string[] {
  return [
    `listeners.tcp.1 = 127.0.0.1:${ports.plain}`,
    `listeners.ssl.1 = 127.0.0.1:${ports.tls}`,
    `ssl_options.cacertfile = ${tls.ca}`,
    `ssl_options.certfile = ${certificate}`,
    `ssl_options.keyfile = ${tls.key}`,
    'ssl_options.verify = verify_none',
    `load_definitions = ${join(dataDir, 'definitions.json')}`,
    'log.file = false',
    'log.console = true',
    'log.console.level = info',
  ];
}

/** The definitions file format of RabbitMQ's management export; a node loads it at every start. */
function definitions(users: readonly RabbitmqUser[]) {
  const everything = { configure: '.*', write: '.*', read: '.*' };
  return {
    vhosts: [{ name: '/' }],
    users: users.map(({ name, password, tags = [] }) => ({
      name,
      password_hash: passwordHash(password),
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: tags.join(','),
    })),
    permissions: users.map(({ name, permissions = everything }) => ({ user: name, vhost: '/', ...permissions })),
  };
}

/** RabbitMQ's format: base64 of a 4-byte salt and SHA-256(salt + password). */
function passwordHash(password: string): string {
  const salt = randomBytes(4);
  const digest = createHash('sha256').update(salt).update(password, 'utf8').digest();
  return Buffer.concat([salt, digest]).toString('base64');
}

function environment({ dataDir, ports }: Setting<RabbitmqPort>, options: RabbitmqOptions): NodeJS.ProcessEnv {
  const at = (name: string) => join(dataDir, name);
  return {
    // The Erlang cookie lives here.
    HOME: dataDir,
    ERL_EPMD_PORT: `${ports.epmd}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: node,
    RABBITMQ_DIST_PORT: `${ports.distribution}`,
    RABBITMQ_MNESIA_BASE: at('mnesia'),
    RABBITMQ_LOG_BASE: at('log'),
    RABBITMQ_CONFIG_FILE: at('rabbitmq'),
    RABBITMQ_GENERATED_CONFIG_DIR: at('generated'),
    RABBITMQ_ENABLED_PLUGINS_FILE: at('enabled_plugins'),
    // Names no file: the system's own settings must not leak in.
    RABBITMQ_CONF_ENV_FILE: at('no-such-file'),
    // Makes the script replace itself by the Erlang machine instead of staying as its parent.
    RUNNING_UNDER_SYSTEMD: 'true',
    // Two schedulers that sleep when idle, and Erlang distribution on the loopback address only.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
    ...options.env,
  };
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Broker, BrokerUser, StartOptions } from './broker.ts';
import { type BrokerKind, defaultUser, launch, type Setting } from './launch.ts';
import { xmppGreeting } from './probe.ts';
import { prosodyConfiguration } from './prosody-configuration.ts';
import { requireProgram, run } from './run.ts';

/** `plain` offers STARTTLS, `tls` is TLS from the first byte, `component` is XEP-0114, `http` is XEP-0363 uploads. */
export type ProsodyPort = 'plain' | 'tls' | 'component' | 'http';
/** Without logins: an XMPP client takes them as a JID and a password. */
export type ProsodyUrl = 'plain' | 'tls' | 'component' | 'http';

export interface ProsodyBroker extends Broker<ProsodyPort, ProsodyUrl> {
  /** The virtual host: `localhost`. */
  readonly domain: string;
  /** The multi-user chat service: `conference.localhost`. */
  readonly rooms: string;
  /** Domains that may connect to the component port, and their common secret. */
  readonly components: readonly string[];
  readonly componentSecret: string;
}

export interface ProsodyOptions extends StartOptions<ProsodyPort> {
  /** Refuse logins without TLS. Default false: SCRAM over plain TCP is allowed, PLAIN never is. */
  readonly requireTls?: boolean;
  /** Offer TLS at all. Default true. */
  readonly offerTls?: boolean;
  /** XEP-0198 stream management. Default true, with a queue of 20,000 stanzas. */
  readonly streamManagement?: boolean;
  /** XEP-0313 archives of users and rooms. Default true. */
  readonly archive?: boolean;
  /** Seconds that a lost session can be resumed. Default 300. */
  readonly hibernation?: number;
  /** Bytes of the largest stanza a client may send. Default 262,144. */
  readonly stanzaSizeLimit?: number;
  /** XEP-0114 component domains below `localhost`. Default `devices.localhost` and `bridge.localhost`. */
  readonly components?: readonly string[];
}

const componentSecret = 'component-secret';

/**
 * Starts Prosody for the domain `localhost` on 127.0.0.1 with users made by prosodyctl; takes about 0.5 s.
 * `extraConfig` lines stand before the first VirtualHost, so they are global.
 * @throws Error when it is not installed, or with its log when it does not start.
 */
export async function startProsody(options: ProsodyOptions = {}): Promise<ProsodyBroker> {
  const components = options.components ?? ['devices.localhost', 'bridge.localhost'];
  const broker = await launch(prosody(options, components), options);
  // Assigned, not spread: the broker's `pid` is a getter.
  return Object.assign(broker, { domain: 'localhost', rooms: 'conference.localhost', components, componentSecret });
}

function prosody(options: ProsodyOptions, components: readonly string[]): BrokerKind<ProsodyPort, ProsodyUrl> {
  const [first = defaultUser, ...others] = options.users ?? [];
  const users = [first, ...others] as const;
  return {
    name: 'prosody',
    portNames: ['plain', 'tls', 'component', 'http'],
    users,
    prepare: (setting) => prepare(setting, options, components, users),
    command: ({ dataDir }) => ({
      file: requireProgram('prosody'),
      args: ['--config', join(dataDir, 'prosody.cfg.lua'), '-F'],
      env: { ...process.env, ...options.env },
    }),
    greetings: [['plain', xmppGreeting]],
    version: /welcome to Prosody version (\S+)/,
    urls: ({ plain, tls, component, http }) => ({
      plain: `xmpp://127.0.0.1:${plain}`,
      tls: `xmpps://127.0.0.1:${tls}`,
      component: `xmpp://127.0.0.1:${component}`,
      http: `http://127.0.0.1:${http}`,
    }),
    control,
  };
}

async function prepare(
  setting: Setting<ProsodyPort>,
  options: ProsodyOptions,
  components: readonly string[],
  users: readonly BrokerUser[],
): Promise<void> {
  await mkdir(join(setting.dataDir, 'data'), { recursive: true });
  const configuration = prosodyConfiguration(setting, options, components, componentSecret);
  await writeFile(join(setting.dataDir, 'prosody.cfg.lua'), configuration);
  await Promise.all(users.map(({ name, password }) => control(setting, ['register', name, 'localhost', password])));
}

function control({ dataDir }: Setting<ProsodyPort>, args: readonly string[]): Promise<string> {
  return run(requireProgram('prosodyctl'), ['--config', join(dataDir, 'prosody.cfg.lua'), ...args]);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerUser } from '../broker.ts';
import { type BrokerKind, defaultUser, launch, type Setting } from '../launch.ts';
import { xmppGreeting } from '../process/probe.ts';
import { requireProgram, run } from '../process/run.ts';
import { prosodyConfiguration } from './prosody-configuration.ts';
import {
  componentsOf,
  type XmppPort,
  type XmppServer,
  type XmppServerOptions,
  xmppSite,
  xmppUrls,
} from './xmpp-server.ts';

/** A Prosody that this process started. */
export type ProsodyBroker = XmppServer;

/** What {@link startProsody} takes. */
export type ProsodyOptions = XmppServerOptions;

/**
 * Starts Prosody for the domain `localhost` on 127.0.0.1 with users made by prosodyctl; takes about 0.5 s.
 * `extraConfig` lines stand before the first VirtualHost, so they are global.
 * @throws Error when it is not installed, or with its log when it does not start.
 */
export async function startProsody(options: ProsodyOptions = {}): Promise<ProsodyBroker> {
  const broker = await launch(prosody(options), options);
  // Assigned, not spread: the broker's `pid` is a getter.
  return Object.assign(broker, { name: 'prosody' as const, ...xmppSite, components: componentsOf(options) });
}

function prosody(options: ProsodyOptions): BrokerKind<XmppPort, XmppPort> {
  const [first = defaultUser, ...others] = options.users ?? [];
  const users = [first, ...others] as const;
  return {
    name: 'prosody',
    portNames: ['plain', 'tls', 'component', 'http'],
    users,
    prepare: (setting) => prepare(setting, options, users),
    command: ({ dataDir }) => ({
      file: requireProgram('prosody'),
      args: ['--config', join(dataDir, 'prosody.cfg.lua'), '-F'],
      env: options.env ?? {},
    }),
    greetings: [['plain', xmppGreeting]],
    version: /welcome to Prosody version (\S+)/,
    urls: xmppUrls,
    control,
  };
}

async function prepare(
  setting: Setting<XmppPort>,
  options: ProsodyOptions,
  users: readonly BrokerUser[],
): Promise<void> {
  await mkdir(join(setting.dataDir, 'data'), { recursive: true });
  await writeFile(join(setting.dataDir, 'prosody.cfg.lua'), prosodyConfiguration(setting, options));
  await Promise.all(users.map(({ name, password }) => control(setting, ['register', name, 'localhost', password])));
}

function control({ dataDir }: Setting<XmppPort>, args: readonly string[]): Promise<string> {
  return run(requireProgram('prosodyctl'), ['--config', join(dataDir, 'prosody.cfg.lua'), ...args]);
}

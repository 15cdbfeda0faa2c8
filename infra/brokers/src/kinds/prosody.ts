import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerUser } from '../broker.ts';
import { type BrokerKind, defaultUser, launch, type Setting } from '../launch.ts';
import { xmppGreeting } from '../process/probe.ts';
import { requireProgram, run } from '../process/run.ts';
import { prosodyConfiguration } from './prosody-configuration.ts';
import type { ProsodyBroker, ProsodyOptions, ProsodyPort, ProsodyUrl } from './prosody-options.ts';

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
      env: options.env ?? {},
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

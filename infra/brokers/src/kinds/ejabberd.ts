import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrokerUser } from '../broker.ts';
import { type BrokerCommand, type BrokerKind, defaultUser, launch, type Setting } from '../launch.ts';
import { componentGreeting, httpGreeting, xmppGreeting } from '../process/probe.ts';
import { requireProgram } from '../process/run.ts';
import { type EjabberdOptions, ejabberdConfiguration } from './ejabberd-configuration.ts';
import { componentsOf, type XmppPort, type XmppServer, xmppSite, xmppUrls } from './xmpp-server.ts';

/**
 * Starts ejabberd for the domain `localhost` on 127.0.0.1; takes 3 to 5 s and about 100 MB. It runs as a program of this
 * user, without its system user, Erlang distribution and epmd. `extraConfig` lines are further top-level keys.
 * @throws Error when it is not installed, or with its log when it does not start.
 */
export async function startEjabberd(options: EjabberdOptions = {}): Promise<XmppServer> {
  const broker = await launch(ejabberd(options), options);
  // Assigned, not spread: the broker's `pid` is a getter.
  return Object.assign(broker, { name: 'ejabberd' as const, ...xmppSite, components: componentsOf(options) });
}

function ejabberd(options: EjabberdOptions): BrokerKind<XmppPort, XmppPort> {
  const [first = defaultUser, ...others] = options.users ?? [];
  const users = [first, ...others] as const;
  return {
    name: 'ejabberd',
    portNames: ['plain', 'tls', 'component', 'http'],
    users,
    prepare: async (setting) => {
      await mkdir(join(setting.dataDir, 'upload'), { recursive: true });
      await writeFile(join(setting.dataDir, 'ejabberd.yml'), ejabberdConfiguration(setting, options));
    },
    command: (setting) => command(setting, options),
    settle: (setting) => makeUsers(setting, users),
    greetings: [
      ['plain', xmppGreeting],
      ['component', componentGreeting],
      ['http', httpGreeting],
    ],
    version: /ejabberd (\d\S*) is started/,
    urls: xmppUrls,
    control,
  };
}

/** `ejabberdctl` itself insists on Debian's system user, so the Erlang machine is started as it would, with its own paths. */
function command({ dataDir }: Setting<XmppPort>, options: EjabberdOptions): BrokerCommand {
  const script = readFileSync(requireProgram('ejabberdctl'), 'utf8');
  const at = (name: string) => join(dataDir, name);
  return {
    file: /^ERL="([^"]+)"/m.exec(script)?.[1] ?? 'erl',
    args: [
      ...['-noinput', '-mnesia', 'dir', `"${at('mnesia')}"`, '-s', 'ejabberd', '-eval', SAVE_OFTEN],
      // Two schedulers that sleep when idle.
      ...['+S', '2:2', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'],
    ],
    env: {
      HOME: dataDir,
      ERL_LIBS: /^ERL_LIBS='([^']+)'/m.exec(script)?.[1],
      ERL_MAX_ETS_TABLES: '1400',
      ERL_CRASH_DUMP: at('crash.dump'),
      EJABBERD_CONFIG_PATH: at('ejabberd.yml'),
      EJABBERD_LOG_PATH: at('ejabberd.log'),
      ...options.env,
    },
  };
}

/** Its database keeps accounts and rooms in memory for seconds, archives for minutes: with this SIGKILL loses a tenth of a second. */
const SAVE_OFTEN =
  'spawn(fun Save() -> timer:sleep(100), catch mnesia:sync_log(), [catch dets:sync(T) || T <- dets:all()], Save() end).';

async function makeUsers(setting: Setting<XmppPort>, users: readonly BrokerUser[]): Promise<void> {
  for (const { name, password } of users) {
    const account = { user: name, host: xmppSite.domain };
    const known = JSON.parse(await control(setting, ['check_account', JSON.stringify(account)])) === 0;
    if (!known) await control(setting, ['register', JSON.stringify({ ...account, password })]);
  }
}

/** Calls its HTTP API: the same commands as those of `ejabberdctl`, which needs Erlang distribution. */
async function control({ ports }: Pick<Setting<XmppPort>, 'ports'>, args: readonly string[]): Promise<string> {
  const [command = '', body = '{}'] = args;
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`http://127.0.0.1:${ports.http}/api/${command}`, { method: 'POST', headers, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`ejabberd refused the command ${command}: ${answer.status} ${text}`);
  return text;
}

import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from '../paths/path.ts';
import { input } from '../paths/places.ts';
import { ownDirectory, startChild } from '../world/child.ts';
import { freePort } from './free-port.ts';

/** Where Debian's package puts the program. */
const PROGRAM = '/usr/lib/*/ejabberd-*/ebin';
/** Any will do, but there must be one. */
const LOGIN = { user: 'bench', password: 'bench' } as const;

/** JSON is YAML. Everybody is let in, and nothing waits in vain. */
const configuration = (port: number): string =>
  JSON.stringify({
    ...{ hosts: ['localhost'], loglevel: 'info', log_rotate_size: 'infinity' },
    ...{ auth_method: ['anonymous'], anonymous_protocol: 'login_anon', allow_multiple_connections: true },
    listen: [{ port, ip: '127.0.0.1', module: 'mod_mqtt', backlog: 100 }],
    modules: {
      mod_mqtt: { access_publish: { '#': 'all' }, access_subscribe: { '#': 'all' }, max_queue: 'infinity' },
    },
  });

/** ejabberd's own MQTT module: publisher and subscriber are at one broker. */
export const ejabberdMqtt = (qos: 0 | 1): Contender => ({
  name: 'ejabberd mod_mqtt',
  guarantee: `${qos === 0 ? 'at most once' : 'at least once while it runs, nothing on disk'}; one broker without a bridge`,
  process: 'peer',
  start: async () => {
    const [program] = globSync(PROGRAM);
    if (program === undefined) throw new Error('is not installed: apt-get install --no-install-recommends ejabberd');
    const port = await freePort();
    const directory = ownDirectory();
    const file = (name: string): string => join(directory, name);
    writeFileSync(file('ejabberd.yml'), configuration(port));
    const paths = { config: file('ejabberd.yml'), log_path: file('ejabberd.log') };
    const options = Object.entries(paths).flatMap(([key, path]) => [key, JSON.stringify(path)]);
    const args = ['+K', 'true', '-noinput', '-pa', program, '-mnesia', 'dir', JSON.stringify(file('mnesia'))];
    const child = await startChild('erl', [...args, '-ejabberd', ...options, '-s', 'ejabberd'], { directory });
    try {
      await child.says(/is started in the node/);
      return { pid: child.pid, port, notes: [], stop: child.stop };
    } catch (error) {
      await child.stop();
      throw error;
    }
  },
  ends: (site, { port = 0 }) => ({
    source: { kind: 'mqtt', port, qos, topics: [input(site)], ...LOGIN },
    sink: { kind: 'mqtt', port, qos, filter: input(site), ...LOGIN },
  }),
});

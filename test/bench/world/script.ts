import { join } from 'node:path';
import type { Contender, Site } from '../paths/path.ts';
import { startChild } from './child.ts';

const FOLDER = join(import.meta.dirname, '../yardsticks');

/** Name of the yardstick in every table. */
export const BY_HAND = 'script by hand';

/** A script of `yardsticks/` as a contender. */
export interface ScriptOptions {
  /** Default {@link BY_HAND}. */
  readonly name?: string;
  readonly guarantee: string;
  /** File in `yardsticks/`. */
  readonly file: string;
  /** What the script gets as JSON. */
  readonly settings: (site: Site) => object;
  readonly env?: (site: Site) => NodeJS.ProcessEnv;
  readonly ends?: Contender['ends'];
}

/**
 * The bridge a developer would write by hand with the same client libraries: pipelined and without a log. A script prints `ready`,
 * with its port where it listens.
 */
export const script = ({ name = BY_HAND, guarantee, file, settings, env, ends }: ScriptOptions): Contender => ({
  name,
  guarantee,
  process: 'script',
  start: async (site) => {
    const args = ['--disable-warning=ExperimentalWarning', join(FOLDER, file), JSON.stringify(settings(site))];
    const child = await startChild(process.execPath, args, { env: env?.(site) ?? {} });
    try {
      const [, port] = await child.says(/^ready(?: (\d+))?$/m);
      return { pid: child.pid, ...(port === undefined ? {} : { port: Number(port) }), notes: [], stop: child.stop };
    } catch (error) {
      await child.stop();
      throw error;
    }
  },
  ...(ends ? { ends } : {}),
});

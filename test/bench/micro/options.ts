import { parseArgs } from 'node:util';
import { UsageError } from '../options.ts';

/** What the command line asks for. */
export interface MicroOptions {
  /** Names of groups, in the order of the list. */
  readonly groups: readonly string[];
  /** File for the results as JSON. */
  readonly json?: string;
  /** Write page and chart. */
  readonly page: boolean;
}

/** How to call it. */
export const USAGE = 'npm run bench:micro -- [group…] [--json file] [--no-page]';

/**
 * Reads the command line.
 * @param known the names of all groups.
 * @throws UsageError for an unknown option or group.
 */
export function parseMicroOptions(args: readonly string[], known: readonly string[]): MicroOptions {
  const { values, positionals } = parse(args);
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`There is no group "${unknown.join('", "')}".`);
  return {
    groups: known.filter((name) => positionals.length === 0 || positionals.includes(name)),
    ...(values.json === undefined ? {} : { json: values.json }),
    page: !values['no-page'],
  };
}

const FLAGS = { json: { type: 'string' }, 'no-page': { type: 'boolean', default: false } } as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, allowPositionals: true });
  } catch (error) {
    // Node's own sentence names the option; what follows it is advice for positionals.
    const [sentence = ''] = error instanceof Error ? error.message.split('. ') : [String(error)];
    throw new UsageError(`${sentence.replace(/\.$/, '')}.`);
  }
}

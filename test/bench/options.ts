import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface Options {
  /** Names of paths, in the order of the list. */
  readonly paths: readonly string[];
  readonly peers: boolean;
  /** File for the results as JSON. */
  readonly json?: string;
  readonly quick: boolean;
  readonly check: boolean;
  /** Exit with 1 when `check` finds a regression. */
  readonly strict: boolean;
  /** Make what is measured the baseline of `check`. */
  readonly saveBaseline: boolean;
  /** Write charts and page. */
  readonly page: boolean;
  readonly rounds: number;
  /** Measured seconds of each run. */
  readonly seconds: number;
}

/** A command line that cannot be obeyed. The message is one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const FLAGS = {
  peers: { type: 'boolean', default: false },
  json: { type: 'string' },
  quick: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  'save-baseline': { type: 'boolean', default: false },
  'no-page': { type: 'boolean', default: false },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
} as const;

/** How to call it. */
export const USAGE =
  'npm run bench -- [path…] [--peers] [--json file] [--quick] [--check] [--strict] [--save-baseline] [--no-page] [--seconds N] [--rounds N]';

/**
 * Reads the command line.
 * @param known the names of all paths; `quick` those of a quick run.
 * @throws UsageError for an unknown option or path, or a number that is none.
 */
export function parseOptions(args: readonly string[], known: readonly string[], quick: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new UsageError(`There is no path "${unknown.join('", "')}".`);
  const wanted = positionals.length > 0 ? positionals : values.quick ? quick : known;
  return {
    paths: known.filter((name) => wanted.includes(name)),
    peers: values.peers,
    ...(values.json === undefined ? {} : { json: values.json }),
    quick: values.quick,
    check: values.check,
    strict: values.strict,
    saveBaseline: values['save-baseline'],
    page: !values['no-page'] && !values.quick,
    rounds: positive('rounds', values.rounds, values.quick ? 2 : 5, 100),
    seconds: positive('seconds', values.seconds, values.quick ? 2 : 5, 3600),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, allowPositionals: true });
  } catch (error) {
    // Node's own sentence names the option; what follows it is advice for positionals.
    const [sentence = ''] = error instanceof Error ? error.message.split('. ') : [String(error)];
    throw new UsageError(`${sentence.replace(/\.$/, '')}.`);
  }
}

function positive(name: string, text: string | undefined, otherwise: number, most: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new UsageError(`--${name} must be a whole number from 1 to ${most}, got "${text}".`);
}

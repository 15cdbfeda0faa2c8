import { parseArgs } from 'node:util';

/** What the command line asks for. */
export interface Options {
  /** Names of paths, in the order of the list. */
  readonly paths: readonly string[];
  /** Names of series of sizes, in the order of the list. */
  readonly series: readonly string[];
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
  /** The same for series. */
  readonly scale: { readonly rounds: number; readonly seconds: number };
}

/** What can be run. */
export interface Known {
  /** Names of all paths, and of those of a quick run. */
  readonly paths: readonly string[];
  readonly quick: readonly string[];
  /** Names of all series. */
  readonly series: readonly string[];
}

/** All series at once. */
const ALL_SERIES = 'scale';

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
 * @throws UsageError for an unknown option or path, or a number that is none.
 */
export function parseOptions(args: readonly string[], known: Known): Options {
  const { values, positionals } = parse(args);
  const { rounds, seconds, quick } = values;
  return {
    ...wantedOf(positionals, quick, known),
    peers: values.peers,
    ...(values.json === undefined ? {} : { json: values.json }),
    quick,
    check: values.check,
    strict: values.strict,
    saveBaseline: values['save-baseline'],
    page: !values['no-page'] && !quick,
    rounds: positive('rounds', rounds, quick ? 2 : 5, 100),
    seconds: positive('seconds', seconds, quick ? 2 : 5, 3600),
    scale: {
      rounds: positive('rounds', rounds, quick ? 1 : 4, 100),
      seconds: positive('seconds', seconds, quick ? 1 : 2, 3600),
    },
  };
}

/** Without names everything runs; a quick run without names has no series. */
function wantedOf(named: readonly string[], quick: boolean, known: Known): Pick<Options, 'paths' | 'series'> {
  const unknown = named.filter((name) => name !== ALL_SERIES && ![...known.paths, ...known.series].includes(name));
  if (unknown.length > 0) throw new UsageError(`There is no path "${unknown.join('", "')}".`);
  if (named.length === 0)
    return quick ? { paths: known.quick, series: [] } : { paths: known.paths, series: known.series };
  return {
    paths: known.paths.filter((name) => named.includes(name)),
    series: known.series.filter((name) => named.includes(ALL_SERIES) || named.includes(name)),
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

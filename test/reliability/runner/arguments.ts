import { parseArgs } from 'node:util';

/** What a run of the long form does. */
export interface Settings {
  /** How many times a gateway under load is killed with -9. */
  readonly kills: number;
  /** How many times the power of a gateway under load is cut. */
  readonly images: number;
  /** Decides every moment that is left to chance, in every file. */
  readonly seed: number;
  /** Names of the test files to run, without `.test.ts`. */
  readonly files: readonly string[];
  /** Whether the run goes into the documentation. */
  readonly record: boolean;
  /** Where else to write what the run showed. */
  readonly json: string | undefined;
}

/** A command line that cannot be followed. The message is a sentence for the user. */
export class WrongArguments extends Error {
  override readonly name = 'WrongArguments';
}

/** What `--help` prints. */
export const HELP = `npm run reliability -- [options]

Runs the long form of the reliability tests, file by file: hours instead of minutes.

  --kills N      kill -9 a gateway under load N times (default 2000)
  --images N     cut the power of a gateway under load N times (default 300)
  --seed N       repeat the random moments of an earlier run (default: a new seed)
  --only WORD    only the files whose name contains the word; may be given several times
  --record       add the run to apps/docs/reliability
  --json FILE    write what the run showed to a file as well
  --help         this text

The exit code is 0 when every test passed, 1 when one failed, 2 for a command line that makes no sense and 130 when
interrupted; what was measured until then is kept.
`;

const OPTIONS = {
  kills: { type: 'string' },
  images: { type: 'string' },
  seed: { type: 'string' },
  only: { type: 'string', multiple: true },
  record: { type: 'boolean' },
  json: { type: 'string' },
  help: { type: 'boolean' },
} as const;

const LARGEST_SEED = 2 ** 32 - 1;

/**
 * Reads a command line.
 * @param words what stands after the program's name.
 * @param files names of all test files, without `.test.ts`.
 * @param newSeed gives the seed of a run that names none.
 * @returns the settings, or `help`.
 * @throws WrongArguments for anything that is not exactly one of the options.
 */
export function readArguments(
  words: readonly string[],
  files: readonly string[],
  newSeed: () => number = () => Math.floor(Math.random() * 2 ** 32),
): Settings | 'help' {
  const { kills = '2000', images = '300', seed, only = [], record = false, json, help } = parse(words);
  if (help) return 'help';
  if (json === '') throw new WrongArguments('--json wants the name of a file.');
  return {
    kills: wholeNumber('kills', kills, 1_000_000),
    images: wholeNumber('images', images, 1_000_000),
    seed: seed === undefined ? newSeed() : wholeNumber('seed', seed, LARGEST_SEED),
    files: chosenFiles(files, only),
    record,
    json,
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({ args: [...words], options: OPTIONS, strict: true }).values;
  } catch (error) {
    // Node's first sentence says what is wrong, those after it what a program might do about it.
    const [first] = String(error instanceof Error ? error.message : error).split(/\.?(?:\s*\n|\s|$)(?=[A-Z]|$)/);
    throw new WrongArguments(`${first}. --help shows the options.`, { cause: error });
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  if (!/^\d+$/.test(text) || Number(text) > most)
    throw new WrongArguments(`--${name} wants a whole number from 0 to ${most}, got '${text}'.`);
  return Number(text);
}

function chosenFiles(files: readonly string[], words: readonly string[]): readonly string[] {
  const unknown = words.find((word) => word === '' || !files.some((file) => file.includes(word)));
  if (unknown !== undefined)
    throw new WrongArguments(`--only '${unknown}' is part of no file's name; there are ${files.join(', ')}.`);
  return files.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
}

/** Whether this is the long form: hours instead of minutes, the same faults. */
const LONG = process.env.MAGPIE_RELIABILITY === 'long';

/** How often to repeat: `short` times in the form that runs with all other tests, `long` times in the long form. */
export const times = (short: number, long: number): number => (LONG ? long : short);

/** A whole number from the environment, as `npm run reliability` passes it on. */
function fromEnvironment(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined) return otherwise;
  if (!/^\d+$/.test(text)) throw new Error(`${name} must be a whole number, got '${text}'`);
  return Number(text);
}

/** How many times a gateway under load is killed with -9. */
export const KILLS = fromEnvironment('MAGPIE_KILLS', times(30, 2000));

/** How many times the power of a gateway under load is cut. */
export const IMAGES = fromEnvironment('MAGPIE_IMAGES', times(10, 300));

/** File that rows and findings are also appended to, as they come: one JSON object per line. None in the short form. */
export const RESULTS = process.env.MAGPIE_RESULTS;

/** What the runner of the long form passes on to the tests. */
export interface LongForm {
  readonly kills: number;
  readonly images: number;
  readonly seed: number;
  /** File for the results. */
  readonly results: string;
}

/** The environment of tests in the long form, which the constants above are read from. */
export const environmentOf = ({ kills, images, seed, results }: LongForm): NodeJS.ProcessEnv => ({
  MAGPIE_RELIABILITY: 'long',
  MAGPIE_KILLS: String(kills),
  MAGPIE_IMAGES: String(images),
  MAGPIE_SEED: String(seed),
  MAGPIE_RESULTS: results,
});

/** A part of many repetitions, both ends included, counted from 1. */
export interface Chunk {
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** Splits many repetitions into tests of at most `size`, each with its own rows: a run that ends early keeps what it has shown. */
export const chunksOf = (size: number, total: number): readonly Chunk[] =>
  Array.from({ length: Math.ceil(total / size) }, (_, index) => {
    const [first, last] = [index * size + 1, Math.min(total, (index + 1) * size)];
    return { first, last, count: last - first + 1 };
  });

/** Random numbers that are the same for the same seed. */
export interface Random {
  readonly seed: number;
  /** A whole number from `least` up to and including `most`. */
  between(least: number, most: number): number;
  bytes(length: number): Buffer;
}

/** Takes the seed from MAGPIE_SEED, or a new one, and prints it so that a failed run can be repeated. */
export function seededRandom(): Random {
  const seed = Number(process.env.MAGPIE_SEED ?? Math.floor(Math.random() * 2 ** 32));
  console.log(`MAGPIE_SEED=${seed}`);
  const next = mulberry32(seed);
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return { seed, between, bytes: (length) => Buffer.from(Array.from({ length }, () => between(0, 255))) };
}

/** Mulberry32: small, and good enough to choose moments. Gives numbers from 0 up to 1. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

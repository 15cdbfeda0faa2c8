import { styleText } from 'node:util';

/** A hop of the scenario failed: nothing arrived in time, or the wrong thing. */
export class HopFailed extends Error {
  override readonly name = 'HopFailed';
}

/** Prints hops as they happen, each with its time since the one before. */
export interface Hops {
  /** Something a player does. */
  does(who: string, what: string, action: () => Promise<void>): Promise<void>;
  /** Something a player must see within the time limit. Throws `HopFailed`, which names the hop. */
  sees<T>(who: string, what: string, wait: Promise<T>, check: (seen: T) => string | undefined): Promise<T>;
  /** A heading between the acts. */
  act(title: string): void;
  readonly count: number;
}

const LIMIT_MS = 15_000;

/** Makes the hops of one scenario; `print` takes finished lines. Colours only on a terminal. */
export function createHops(print: (line: string) => void): Hops {
  let last = performance.now();
  let count = 0;
  const color = process.stdout.isTTY === true;
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    color ? styleText(style, text) : text;

  const hop = (mark: string, who: string, what: string): void => {
    const ms = performance.now() - last;
    last = performance.now();
    count++;
    print(`  ${mark} ${who.padEnd(12)} ${what}${paint('dim', `  ${ms.toFixed(1)} ms`)}`);
  };

  const limited = async <T>(who: string, what: string, wait: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new HopFailed(`${who} ${what}: nothing within ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    });
    return Promise.race([wait, late]).finally(() => clearTimeout(timer));
  };

  return {
    does: async (who, what, action) => {
      last = performance.now();
      await limited(who, what, action());
      hop(paint('cyan', '●'), who, what);
    },
    sees: async (who, what, wait, check) => {
      const seen = await limited(who, what, wait);
      const problem = check(seen);
      if (problem !== undefined) throw new HopFailed(`${who} ${what}: ${problem}`);
      hop(paint('green', '✔'), who, what);
      return seen;
    },
    act: (title) => print(`\n${paint('bold', title)}`),
    get count() {
      return count;
    },
  };
}

/** Compares what a hop showed with what it should show; a mismatch becomes a sentence. */
export const expects =
  (wanted: string) =>
  (seen: string): string | undefined =>
    seen === wanted ? undefined : `expected "${wanted}", got "${seen}"`;

/** A text that is said, for the description of a hop. */
export const quoted = (text: string): string => `“${text}”`;

/** Characters that one step reads. */
const CHARACTERS_PER_STEP = 64;

/** What it costs to look through a text; anything else costs nothing. */
export const stepsToRead = (value: unknown): number =>
  typeof value === 'string' || value instanceof Uint8Array ? value.length / CHARACTERS_PER_STEP : 0;

/** Comparisons of characters that one step makes. */
const COMPARISONS_PER_STEP = 512;

/** What it costs at worst to find one text in another: every character with every other. */
export const stepsToSearch = (text: unknown, part: unknown): number =>
  typeof text === 'string' && typeof part === 'string'
    ? stepsToRead(text) + (text.length * part.length) / COMPARISONS_PER_STEP
    : 0;

/** Costs of lists and maps, which do not change once they are made. */
const known = new WeakMap<object, number>();

/** What it costs at most to compare a value with another: all that is in it. */
export function stepsToCompare(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return stepsToRead(value);
  const before = known.get(value);
  if (before !== undefined) return before;
  let steps = 1;
  for (const inner of Object.values(value)) steps += 1 + stepsToCompare(inner);
  known.set(value, steps);
  return steps;
}

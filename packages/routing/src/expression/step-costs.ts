/** Characters that one step reads. */
const CHARACTERS_PER_STEP = 64;

/** What it costs to look through a text; anything else costs nothing. */
export const stepsToRead = (value: unknown): number =>
  typeof value === 'string' || value instanceof Uint8Array ? value.length / CHARACTERS_PER_STEP : 0;

/** Comparisons of characters that one step makes. */
const COMPARISONS_PER_STEP = 192;

/** Characters of a text that one step passes where each of them may begin what is looked for. */
const BEGINNINGS_PER_STEP = 6;

/** What it costs at worst to find one text in another: every character with every other. */
export const stepsToSearch = (text: unknown, part: unknown): number =>
  typeof text === 'string' && typeof part === 'string'
    ? Math.max(text.length / BEGINNINGS_PER_STEP, (text.length * part.length) / COMPARISONS_PER_STEP)
    : 0;

/** Costs of lists and maps, which do not change once they are made. */
const known = new WeakMap<object, number>();

/** What it costs at most to compare a value with another: all that is in it. */
export function stepsToCompare(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return stepsToRead(value);
  const before = known.get(value);
  if (before !== undefined) return before;
  // A field is looked up by its name on both sides.
  const [itself, each] = Array.isArray(value) ? [1, 1] : [4, 3];
  let steps = itself;
  for (const inner of Object.values(value)) steps += each + stepsToCompare(inner);
  known.set(value, steps);
  return steps;
}

/** Longer texts are not cached. */
const LONG = 1024;

/**
 * Caches the results of a pure function of a text for the `limit` to `2 × limit` most recent texts. For recurring texts
 * whose results cost much more than a look-up, such as those derived from a topic.
 */
export function createMemo<T>(compute: (text: string) => T, limit = 2000): (text: string) => T {
  let recent = new Map<string, T>();
  let older = new Map<string, T>();
  return (text) => {
    if (text.length > LONG) return compute(text);
    const known = recent.get(text);
    if (known !== undefined) return known;
    const result = older.get(text) ?? compute(text);
    recent.set(text, result);
    if (recent.size >= limit) [recent, older] = [new Map(), recent];
    return result;
  };
}

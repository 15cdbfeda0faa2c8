import { type Document, isScalar, visit } from 'yaml';

/**
 * Character offsets of repeated keys in the mappings of a document. Keys are compared by their YAML value, so `1` and
 * `"1"` differ. Takes time proportional to the number of keys; the library's own check compares every pair.
 */
export function duplicateKeys(document: Document): readonly number[] {
  const found: number[] = [];
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) found.push(key.range?.[0] ?? 0);
        seen.add(key.value);
      }
    },
  });
  return found;
}

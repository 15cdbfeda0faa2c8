import { type Document, isScalar, visit } from 'yaml';

/**
 * Where a mapping of the document has a key that it has already: character offsets of the later ones. Equal are keys of
 * equal value as YAML reads them, so `1` and `"1"` are two. In time proportional to the number of keys; the library's own
 * check compares every key with every other.
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

import type { PatternSegment } from '@magpie/contract';

/** A step of the tree: what may follow the segments so far. */
interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  one: Node<T> | undefined;
  /** Entries whose pattern ends here. */
  readonly ends: Set<T>;
  /** Entries whose pattern takes whatever follows, nothing included. */
  readonly rest: Set<T>;
}

/** Patterns by their segments: looking an address up costs by its length, not by the number of patterns. */
export interface Trie<T> {
  add(pattern: readonly PatternSegment[], entry: T): void;
  /** Removes an entry added with this pattern, and the nodes that only it used. */
  remove(pattern: readonly PatternSegment[], entry: T): void;
  /** Entries of all patterns the segments lie in, in no particular order. */
  find(segments: readonly string[]): T[];
  /** Entries of all patterns that have an address in common with this one. For analysis at load. */
  overlapping(pattern: readonly PatternSegment[]): T[];
}

const createNode = <T>(): Node<T> => ({ literals: new Map(), one: undefined, ends: new Set(), rest: new Set() });

/** An empty trie. `many` segments must be last, as `compilePattern` guarantees. */
export function createTrie<T>(): Trie<T> {
  const root = createNode<T>();
  return {
    add: (pattern, entry) => {
      let node = root;
      for (const segment of pattern) {
        if (segment.type === 'many') return void node.rest.add(entry);
        node = child(node, segment);
      }
      node.ends.add(entry);
    },
    remove: (pattern, entry) => void removeBelow(root, pattern, 0, entry),
    find: (segments) => {
      const found: T[] = [];
      collect(root, segments, 0, found);
      return found;
    },
    overlapping: (pattern) => {
      const found: T[] = [];
      collectOverlap(root, pattern, 0, found);
      return found;
    },
  };
}

function child<T>(node: Node<T>, segment: Exclude<PatternSegment, { type: 'many' }>): Node<T> {
  if (segment.type === 'one') {
    node.one ??= createNode<T>();
    return node.one;
  }
  const next = node.literals.get(segment.value) ?? createNode<T>();
  node.literals.set(segment.value, next);
  return next;
}

/** @returns whether nothing is left at and below the node. */
function removeBelow<T>(node: Node<T>, pattern: readonly PatternSegment[], index: number, entry: T): boolean {
  const segment = pattern[index];
  if (segment === undefined) node.ends.delete(entry);
  else if (segment.type === 'many') node.rest.delete(entry);
  else if (segment.type === 'one') {
    if (node.one && removeBelow(node.one, pattern, index + 1, entry)) node.one = undefined;
  } else {
    const next = node.literals.get(segment.value);
    if (next && removeBelow(next, pattern, index + 1, entry)) node.literals.delete(segment.value);
  }
  return node.literals.size === 0 && node.one === undefined && node.ends.size === 0 && node.rest.size === 0;
}

function collect<T>(node: Node<T>, segments: readonly string[], index: number, found: T[]): void {
  if (node.rest.size > 0) for (const entry of node.rest) found.push(entry);
  if (index === segments.length) {
    for (const entry of node.ends) found.push(entry);
    return;
  }
  const literal = node.literals.size === 0 ? undefined : node.literals.get(segments[index]!);
  if (literal !== undefined) collect(literal, segments, index + 1, found);
  if (node.one !== undefined) collect(node.one, segments, index + 1, found);
}

function collectOverlap<T>(node: Node<T>, pattern: readonly PatternSegment[], index: number, found: T[]): void {
  found.push(...node.rest);
  const segment = pattern[index];
  if (segment === undefined) {
    found.push(...node.ends);
    return;
  }
  if (segment.type === 'many') {
    collectBelow(node, found);
    return;
  }
  const literals = segment.type === 'literal' ? [node.literals.get(segment.value)] : node.literals.values();
  for (const next of [...literals, node.one]) {
    if (next !== undefined) collectOverlap(next, pattern, index + 1, found);
  }
}

/** Everything at and below a node but its own `rest`, which the caller has taken. */
function collectBelow<T>(node: Node<T>, found: T[]): void {
  found.push(...node.ends);
  for (const next of [...node.literals.values(), node.one]) {
    if (next === undefined) continue;
    found.push(...next.rest);
    collectBelow(next, found);
  }
}

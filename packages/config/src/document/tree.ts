import { type Problem, pointerOf } from '@magpie/schema-messages';
import { type Alias, type Document, isAlias, isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';

/** Bounds of a configuration: deep enough for any real one, small enough that no file can exhaust the process. */
export const TREE_LIMITS = { depth: 64, nodes: 200_000 } as const;

/** The YAML nodes behind one value: the node itself and, inside a mapping, its key. */
export interface Place {
  readonly node: Node | null;
  readonly key?: Node;
}

/** A YAML document as plain values, with the node of every pointer. Aliases are expanded within `TREE_LIMITS`. */
export interface Tree {
  readonly value: unknown;
  readonly places: ReadonlyMap<string, Place>;
  readonly problems: readonly Problem[];
}

/** Called once per scalar; returns the value to use. */
export type ScalarHook = (scalar: Scalar, path: readonly string[]) => unknown;

interface Walk {
  /** Nodes by anchor, up to the present node: an alias means the last anchor before it. */
  readonly anchors: Map<string, Node>;
  readonly places: Map<string, Place>;
  readonly problems: Problem[];
  readonly scalar: ScalarHook;
  nodes: number;
  /** Number of aliases being expanded around the current node; the anchors inside are known already. */
  expanding: number;
}

/** Thrown inside the walk only: the tree exceeds a limit, so the rest is not read. */
class TreeLimit extends Error {}

/** Turns a parsed document into plain values. Pure apart from `scalar`; never throws, whatever the file contains. */
export function readTree(document: Document, scalar: ScalarHook): Tree {
  const walk: Walk = { anchors: new Map(), places: new Map(), problems: [], scalar, nodes: 0, expanding: 0 };
  const { places, problems } = walk;
  try {
    return { value: readNode(walk, document.contents, [], {}), places, problems };
  } catch (error) {
    if (!(error instanceof TreeLimit)) throw error;
    problems.push({ severity: 'error', pointer: '', message: error.message });
    return { value: undefined, places, problems };
  }
}

function readNode(walk: Walk, node: Node | null, path: readonly string[], place: { key?: Node }): unknown {
  checkLimits(walk, path);
  walk.places.set(pointerOf(path), { node, ...place });
  if (node === null) return null;
  if (isAlias(node)) return aliasValue(walk, node, path, place);
  if (walk.expanding === 0 && hasAnchor(node)) walk.anchors.set(node.anchor, node);
  if (isScalar(node)) return walk.scalar(node, path);
  if (isMap(node)) return mapValue(walk, node.items, path);
  return isSeq(node) ? node.items.map((item, index) => readNode(walk, asNode(item), [...path, `${index}`], {})) : null;
}

function checkLimits(walk: Walk, path: readonly string[]): void {
  walk.nodes += 1;
  if (path.length > TREE_LIMITS.depth) {
    throw new TreeLimit(
      `expected at most ${TREE_LIMITS.depth} levels of nesting, got more at ${pointerOf(path.slice(0, 3))}/…`,
    );
  }
  if (walk.nodes > TREE_LIMITS.nodes) {
    throw new TreeLimit(`expected at most ${TREE_LIMITS.nodes} values, got more once all aliases are expanded`);
  }
}

function aliasValue(walk: Walk, alias: Alias, path: readonly string[], place: { key?: Node }): unknown {
  const target = walk.anchors.get(alias.source);
  if (target) {
    walk.expanding += 1;
    const value = readNode(walk, target, path, place);
    walk.expanding -= 1;
    return value;
  }
  const message = `expected an anchor "&${alias.source}" before this alias, got none`;
  walk.problems.push({ severity: 'error', pointer: pointerOf(path), message });
  return undefined;
}

function mapValue(walk: Walk, items: readonly { key: unknown; value: unknown }[], path: readonly string[]): object {
  const entries: [string, unknown][] = [];
  for (const { key, value } of items) {
    const name = keyText(key);
    if (name === undefined) {
      const message = 'expected a plain text as the key, got a list, a mapping or nothing';
      walk.problems.push({ severity: 'error', pointer: pointerOf(path), message });
    } else {
      const keyNode = asNode(key);
      const inner = readNode(walk, asNode(value), [...path, name], keyNode ? { key: keyNode } : {});
      entries.push([name, inner]);
    }
  }
  return Object.fromEntries(entries);
}

const hasAnchor = (node: Node): node is Node & { anchor: string } =>
  'anchor' in node && typeof node.anchor === 'string';

const asNode = (value: unknown): Node | null =>
  isScalar(value) || isMap(value) || isSeq(value) || isAlias(value) ? value : null;

function keyText(key: unknown): string | undefined {
  if (!isScalar(key) || key.value === null || typeof key.value === 'object') return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

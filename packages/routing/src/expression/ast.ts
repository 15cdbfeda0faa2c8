import type { ASTNode } from '@marcbachmann/cel-js';
import { isRecord } from '../report.ts';

/** A stretch of characters, `end` exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const isNode = (value: unknown): value is ASTNode => isRecord(value) && 'op' in value && 'args' in value;

const nodesIn = (value: unknown): ASTNode[] => {
  if (isNode(value)) return [value];
  return Array.isArray(value) ? value.flatMap(nodesIn) : [];
};

/** The direct sub-expressions of a node. */
const childrenOf = (node: ASTNode): ASTNode[] => nodesIn(node.args);

/** Every node of an expression, outermost first. */
export function* nodesOf(node: ASTNode): Generator<ASTNode> {
  yield node;
  for (const child of childrenOf(node)) yield* nodesOf(child);
}

const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** Whether a node loops over a list or map: its first argument then names the loop variable. */
const isComprehension = (node: ASTNode): boolean =>
  node.op === 'rcall' && COMPREHENSIONS.has(node.args[0]) && node.args[2].length >= 2;

/** The node at which comprehensions are nested more than `limit` deep, if any. */
export function nestedTooDeep(node: ASTNode, limit: number): ASTNode | undefined {
  const inside = isComprehension(node) ? limit - 1 : limit;
  if (inside < 0) return node;
  for (const child of childrenOf(node)) {
    const found = nestedTooDeep(child, inside);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names of all variables an expression mentions, loop variables included. */
export const namesIn = (node: ASTNode): ReadonlySet<string> =>
  new Set([...nodesOf(node)].flatMap((inner) => (inner.op === 'id' ? [inner.args] : [])));

/** Names bound inside the expression by a comprehension or `cel.bind`. */
function boundIn(node: ASTNode): Set<string> {
  const binders = [...nodesOf(node)].filter((inner) => inner.op === 'rcall' && inner.args[2].length >= 2);
  return new Set(
    binders.flatMap((inner) => {
      const first = inner.op === 'rcall' ? inner.args[2][0] : undefined;
      return first?.op === 'id' ? [first.args] : [];
    }),
  );
}

/**
 * The values an expression is about: variables and chains of fields (`payload.severity`), each once, without loop
 * variables and constants. For explanations.
 */
export function operandsOf(node: ASTNode): readonly Range[] {
  const bound = boundIn(node);
  const found = new Map<string, Range>();
  const visit = (inner: ASTNode): void => {
    const root = chainRoot(inner);
    if (root === undefined) childrenOf(inner).forEach(visit);
    else if (!bound.has(root)) {
      const range = { start: chainStart(inner), end: inner.end };
      found.set(inner.input.slice(range.start, range.end), range);
    }
  };
  visit(node);
  return [...found.values()];
}

function chainRoot(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args;
  return node.op === '.' ? chainRoot(node.args[0]) : undefined;
}

const chainStart = (node: ASTNode): number => (node.op === '.' ? chainStart(node.args[0]) : node.start);

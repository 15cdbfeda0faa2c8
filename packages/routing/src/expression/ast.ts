import type { ASTNode } from '@marcbachmann/cel-js';
import { isRecord } from '../report.ts';

/** A range of characters, `end` exclusive. */
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
export const childrenOf = (node: ASTNode): ASTNode[] => nodesIn(node.args);

/** Every node of an expression, outermost first. */
export function* nodesOf(node: ASTNode): Generator<ASTNode> {
  yield node;
  for (const child of childrenOf(node)) yield* nodesOf(child);
}

const COMPREHENSIONS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/** Whether a node loops over a list or map: its first argument then names the loop variable. */
export const isComprehension = (node: ASTNode): boolean =>
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

/** Variables whose lists the gateway bounds. */
const BOUNDED = new Set(['event', 'origin', 'headers', 'headersAll']);

/**
 * Lists that an expression goes through again for every element of another one: in a loop, a loop over something else than
 * its variable, or a search with `in`.
 */
export function* repeatedLists(node: ASTNode, variables: readonly string[] = []): Generator<ASTNode> {
  if (isComprehension(node) && node.op === 'rcall') {
    const [, list, [variable, ...body]] = node.args;
    if (isRepeated(list, variables)) yield list;
    yield* repeatedLists(list, variables);
    const inside = variable?.op === 'id' ? [...variables, variable.args] : variables;
    for (const part of body) yield* repeatedLists(part, inside);
    return;
  }
  if (node.op === 'in' && isRepeated(node.args[1], variables)) yield node.args[1];
  for (const child of childrenOf(node)) yield* repeatedLists(child, variables);
}

function isRepeated(list: ASTNode, variables: readonly string[]): boolean {
  if (variables.length === 0 || list.op === 'list') return false;
  const names = [...namesIn(list)];
  return !names.some((name) => variables.includes(name)) && names.some((name) => !BOUNDED.has(name));
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

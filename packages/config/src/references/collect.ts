import { type Problem, pointerOf } from '@magpie/schema-messages';
import type { Scalar } from 'yaml';
import { scalarValue } from '../document/numbers.ts';
import { hasReference, type ReferenceSources, resolveReferences } from './references.ts';

/** The references of a document, collected while its scalars are read. */
export interface CollectedReferences {
  /** Resolves one scalar; given to `readTree`. */
  readonly scalar: (scalar: Scalar, path: readonly string[]) => unknown;
  readonly substituted: Set<string>;
  readonly failed: Set<string>;
  readonly environment: Set<string>;
  readonly files: Set<string>;
  readonly problems: Problem[];
}

/** Sections in which references are resolved; routes are left to the routing package, elsewhere they are errors. */
const RESOLVED = new Set(['connections', 'http']);

/** Makes an empty collection; its `scalar` is called once per scalar of the document. */
export function collectReferences(sources: ReferenceSources): CollectedReferences {
  const found: Omit<CollectedReferences, 'scalar'> = {
    substituted: new Set(),
    failed: new Set(),
    environment: new Set(),
    files: new Set(),
    problems: [],
  };
  const scalar = (node: Scalar, path: readonly string[]): unknown => {
    const value = scalarValue(node);
    if (typeof value === 'number' && !Number.isFinite(value)) return endless(node, path, found);
    if (typeof value !== 'string' || !hasReference(value) || path[0] === 'routes') return value;
    return RESOLVED.has(path[0] ?? '')
      ? resolveScalar(value, pointerOf(path), sources, found)
      : misplaced(value, path, found);
  };
  return { ...found, scalar };
}

/** YAML's `.inf` and `.nan`: JSON has no such values, so they would become null. */
function endless({ source }: Scalar, path: readonly string[], found: Omit<CollectedReferences, 'scalar'>): undefined {
  const pointer = pointerOf(path);
  found.failed.add(pointer);
  const message = `expected a finite number, got ${source}`;
  found.problems.push({ severity: 'error', pointer, message, hint: 'put it in quotes if you mean the text' });
  return undefined;
}

function resolveScalar(
  value: string,
  pointer: string,
  sources: ReferenceSources,
  found: Omit<CollectedReferences, 'scalar'>,
): string {
  const { text, used, problems } = resolveReferences(value, sources);
  for (const { kind, name } of used) (kind === 'env' ? found.environment : found.files).add(name);
  if (used.length > 0) found.substituted.add(pointer);
  if (problems.length > 0) found.failed.add(pointer);
  found.problems.push(...problems.map((problem): Problem => ({ severity: 'error', pointer, ...problem })));
  return text;
}

function misplaced(value: string, path: readonly string[], found: Omit<CollectedReferences, 'scalar'>): string {
  if (path[0]?.startsWith('x-')) return value;
  const pointer = pointerOf(path);
  found.failed.add(pointer);
  const message = 'references are resolved only under "connections" and "http"';
  found.problems.push({ severity: 'error', pointer, message, hint: 'write the value here' });
  return value;
}

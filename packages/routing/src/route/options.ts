import { type Address, type AddressScheme, type AnyAdapter, Rejected } from '@magpie/contract';
import { z } from 'zod';
import type { Language, Scope } from '../expression/expression.ts';
import { toJsonValue } from '../expression/values.ts';
import { type Report, reportIssues } from '../report.ts';
import { isTemplate } from '../template/template.ts';
import { compileTree, type Tree } from '../template/tree.ts';

/** The native options of a target: fixed, or with values from the event. */
export interface TargetOptions {
  /** The parsed options as far as they are known at load, for the guarantee; undefined when they depend on the event. */
  readonly known: unknown;
  /** The parsed `targetSchema` for one message; the words are those of the rendered address. Throws `Rejected`. */
  render(scope: Scope, address: Address): unknown;
}

/** Compiles the adapter's own keys of a target; undefined after reporting. */
export function compileOptions(
  adapter: AnyAdapter,
  scheme: AddressScheme,
  native: Readonly<Record<string, unknown>>,
  language: Language,
  report: Report,
): TargetOptions | undefined {
  const trees = compileTrees(scheme, native, language, report);
  if (trees === undefined) return undefined;
  const constants = valuesOf(
    trees.filter(([, tree]) => tree.constant),
    {},
  );
  const varying = trees.filter(([, tree]) => !tree.constant);
  const free = new Set([...varying.map(([key]) => key), ...scheme.words.filter((word) => isVarying(native[word]))]);
  const written = Object.fromEntries(scheme.words.flatMap((word) => (word in native ? [[word, native[word]]] : [])));
  const parsed = adapter.targetSchema.safeParse({ ...constants, ...written });
  const issues = parsed.success ? [] : parsed.error.issues.filter(({ path: [key] }) => !free.has(String(key)));
  if (issues.length > 0) return void reportIssues(report, issues, Object.keys(adapter.targetSchema.shape));
  if (parsed.success && varying.length === 0) return fixedOptions(parsed.data, scheme, free.size === 0);
  return {
    known: parsed.success ? parsed.data : undefined,
    render: (scope, address) => {
      const all = { ...constants, ...valuesOf(varying, scope), ...scheme.join(address.segments) };
      return parseRendered(adapter.targetSchema, all, report.pointer);
    },
  };
}

const isVarying = (value: unknown): boolean => typeof value === 'string' && isTemplate(value);

function fixedOptions(
  data: Readonly<Record<string, unknown>>,
  scheme: AddressScheme,
  constant: boolean,
): TargetOptions {
  const render = (_: Scope, address: Address): unknown => ({ ...data, ...scheme.join(address.segments) });
  return { known: data, render: constant ? () => data : render };
}

type Trees = readonly (readonly [string, Tree])[];

function compileTrees(
  scheme: AddressScheme,
  native: Readonly<Record<string, unknown>>,
  language: Language,
  report: Report,
): Trees | undefined {
  const entries = Object.entries(native).filter(([key]) => !scheme.words.includes(key));
  const trees = entries.map(([key, value]) => [key, compileTree(value, language, report.at(key))] as const);
  const whole = trees.flatMap(([key, tree]) => (tree === undefined ? [] : [[key, tree] as const]));
  return whole.length === trees.length ? whole : undefined;
}

const valuesOf = (trees: Trees, scope: Scope): Record<string, unknown> =>
  Object.fromEntries(trees.map(([key, tree]) => [key, toJsonValue(tree.value(scope))]));

function parseRendered(schema: z.ZodObject, value: unknown, pointer: string): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Rejected(`${pointer}: the options made for this event are refused: ${z.prettifyError(parsed.error)}`);
}

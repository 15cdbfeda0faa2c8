import { type Address, type AddressScheme, type AnyAdapter, Rejected } from '@magpie/contract';
import { problemsOf } from '@magpie/schema-messages';
import type { z } from 'zod';
import type { Language, Scope } from '../expression/expression.ts';
import { toHeaderValue, toJsonValue } from '../expression/values.ts';
import { isRecord, type Report, reportIssues } from '../report.ts';
import { isTemplate } from '../template/template.ts';
import { compileTree, type Tree } from '../template/tree.ts';

/** The native options of a target: fixed, or with values from the event. */
export interface TargetOptions {
  /** Parsed options as they may turn out, for the guarantee; none when too much depends on the event. */
  readonly possible: readonly unknown[];
  /** Whether they are the same for every event: then `render` looks at neither scope nor address. */
  readonly fixed: boolean;
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
  const varying = trees.filter(([, tree]) => !tree.constant);
  const constants = valuesOf(
    trees.filter(([, tree]) => tree.constant),
    {},
  );
  const words = scheme.words.filter((word) => native[word] !== undefined);
  const free = new Set([...varying.map(([key]) => key), ...words.filter((word) => isVarying(native[word]))]);
  const fixed = { ...constants, ...Object.fromEntries(words.map((word) => [word, native[word]])) };
  const { targetSchema } = adapter;
  const parsed = targetSchema.safeParse(fixed, { reportInput: true });
  const issues = parsed.success ? [] : parsed.error.issues.filter(({ path: [key] }) => !free.has(String(key)));
  if (issues.length > 0) return void reportIssues(report, issues, targetSchema);
  if (parsed.success && varying.length === 0) return fixedOptions(parsed.data, scheme, free.size === 0);
  const sampled = words.filter((word) => free.has(word)).map((word) => [word, 'x'] as const);
  const base = { ...fixed, ...Object.fromEntries(sampled) };
  return {
    fixed: false,
    possible: samples(targetSchema, {
      ...base,
      ...Object.fromEntries(varying.map(([key]) => [key, native[key]])),
    }),
    render: (scope, address) => {
      const all = { ...constants, ...valuesOf(varying, scope), ...scheme.join(address.segments) };
      return parseRendered(targetSchema, all, report.pointer);
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
  return { possible: [data], fixed: constant, render: constant ? () => data : render };
}

/** Values that options usually take; those the schema accepts show how weak a target can get. */
const SAMPLES = [true, false, 0, 1, 2, 'x', ''];
/** With more values from the event than this the combinations are not tried. */
const MAX_SAMPLED = 3;

/** The options as they may turn out, with each combination of samples in place of the templates. */
function samples(schema: z.ZodObject, options: Readonly<Record<string, unknown>>): unknown[] {
  const count = countTemplates(options);
  if (count > MAX_SAMPLED) return [];
  return Array.from({ length: SAMPLES.length ** count }, (_, combination) => {
    let rest = combination;
    const parsed = schema.safeParse(
      mapTemplates(options, () => {
        const value = SAMPLES[rest % SAMPLES.length];
        rest = Math.floor(rest / SAMPLES.length);
        return value;
      }),
    );
    return parsed.success ? [parsed.data] : [];
  }).flat();
}

function countTemplates(value: unknown): number {
  let count = 0;
  mapTemplates(value, () => {
    count++;
    return undefined;
  });
  return count;
}

/** The same value with another one for each template in it, in order. */
function mapTemplates(value: unknown, sample: () => unknown): unknown {
  if (isVarying(value)) return sample();
  if (Array.isArray(value)) return value.map((each) => mapTemplates(each, sample));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapTemplates(each, sample)]));
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
  Object.fromEntries(trees.map(([key, tree]) => [key, toJsonValue(toHeaderValue(tree.value(scope)))]));

function parseRendered(schema: z.ZodObject, value: unknown, pointer: string): unknown {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  const why = problemsOf(schema, parsed.error.issues).map((each) => `${each.pointer}: ${each.message}`);
  throw new Rejected(`${pointer}: the options made for this event are refused: ${why.join('; ')}`);
}

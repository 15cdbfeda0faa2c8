import type { z } from 'zod';
import { type Report, reportIssues, reportUnknownKey } from '../report.ts';

/** A mapping split into the keys every protocol shares and those of one adapter. */
export interface SplitKeys {
  readonly common: Readonly<Record<string, unknown>>;
  readonly native: Readonly<Record<string, unknown>>;
}

/** Splits by the two schemas, the common one first; reports keys that neither knows. */
export function splitKeys(
  raw: Readonly<Record<string, unknown>>,
  common: z.ZodObject,
  native: z.ZodObject,
  report: Report,
): SplitKeys {
  const split: Record<'common' | 'native', Record<string, unknown>> = { common: {}, native: {} };
  for (const [key, value] of Object.entries(raw)) {
    if (Object.hasOwn(common.shape, key)) split.common[key] = value;
    else if (Object.hasOwn(native.shape, key)) split.native[key] = value;
    else reportUnknownKey(report, key, [...Object.keys(native.shape), ...Object.keys(common.shape)]);
  }
  return split;
}

/** Parses with a strict object schema; undefined after reporting every issue. */
export function parseKeys<S extends z.ZodObject>(schema: S, value: unknown, report: Report): z.output<S> | undefined {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  reportIssues(report, parsed.error.issues, schema);
  return undefined;
}

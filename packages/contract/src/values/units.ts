import { z } from 'zod';

const DURATION_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_BYTES: Record<string, number> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** The longest duration: a hundred years and more. A time that far from now can still be written. */
const LONGEST_MS = 36_525 * 86_400_000;

/** The largest size: more than any disk has. */
const LARGEST_BYTES = 1024 * 2 ** 40;

/** `500ms`, `30s`, `5m`, `24h`, `7d` to milliseconds, at most 36525 days; undefined when it is none of these. */
export const parseDuration = (text: string): number | undefined => parseUnit(text, DURATION_MS, LONGEST_MS);

/** `64KiB`, `1MiB`, `10GiB`, `5MB` to bytes, at most 1024 TiB; undefined when it is none of these. */
export const parseSize = (text: string): number | undefined => parseUnit(text, SIZE_BYTES, LARGEST_BYTES);

/** Nothing beyond `most`: what is accepted must be finite, and it must be possible to reckon with it and to write it. */
function parseUnit(text: string, units: Record<string, number>, most: number): number | undefined {
  const match = /^(\d{1,20}(?:\.\d{1,20})?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = match && Object.hasOwn(units, match[2]!) ? units[match[2]!] : undefined;
  if (!match || factor === undefined) return undefined;
  const value = Math.round(Number(match[1]) * factor);
  return value <= most ? value : undefined;
}

/** Schema of a duration in a configuration; parses to milliseconds. */
export const durationSchema = (): z.ZodType<number, string> =>
  unitSchema(parseDuration, 'a duration such as "500ms", "30s", "5m", "24h" or "7d", at most 36525d');

/** Schema of a size in a configuration; parses to bytes. */
export const sizeSchema = (): z.ZodType<number, string> =>
  unitSchema(parseSize, 'a size such as "64KiB", "1MiB" or "10GiB", at most 1024TiB');

const unitSchema = (parse: (text: string) => number | undefined, expected: string): z.ZodType<number, string> =>
  z
    .string()
    .transform((text, context) => {
      const value = parse(text);
      if (value === undefined) context.addIssue({ code: 'custom', message: `expected ${expected}, got "${text}"` });
      return value ?? z.NEVER;
    })
    .meta({ expected });

/**
 * Where an event came from or goes to. Segments are raw protocol text, never escaped; only the text form
 * (`scheme:value`) and cross-scheme rendering escape anything.
 */
export interface Address {
  /** Names the kind of place: `topic`, `queue`, `exchange`, `room`, … Each adapter declares its own. */
  readonly scheme: string;
  /** The place, from general to specific, as the protocol splits it. */
  readonly segments: readonly string[];
}

/** One step of an address pattern: a fixed text, any one segment, or all remaining segments (zero or more). */
export type PatternSegment =
  | { readonly type: 'literal'; readonly value: string }
  | { readonly type: 'one'; readonly name?: string }
  | { readonly type: 'many'; readonly name?: string };

/** A pattern over the addresses of one scheme. `many` occurs only as the last segment. */
export interface AddressPattern {
  readonly scheme: string;
  readonly segments: readonly PatternSegment[];
}

/** Native words of an address as they stand in YAML and JSON, for example `{ topic: 'plant/p7/alarm' }`. */
export type AddressWords = Readonly<Record<string, string>>;

/**
 * One address scheme of an adapter. All members are pure. `routing` calls `split`, `splitPattern` and `wildcard` at load,
 * `encode` and `check` once per rendered address; the API calls `parse`, `format` and `join` per shown event.
 */
export interface AddressScheme {
  /** The scheme's name, the part before `:` in the text form. */
  readonly scheme: string;
  /** Native words in order; the first is required and identifies the scheme within its adapter. */
  readonly words: readonly string[];
  /** Native words of a concrete address to raw segments. Never fails: `check` judges the result. */
  split(words: AddressWords): string[];
  /** Native words of a pattern (wildcards and `{captures}` allowed) to segments, wildcards still in native form. */
  splitPattern(words: AddressWords): string[];
  /** Raw segments back to native words; the inverse of `split`. */
  join(segments: readonly string[]): Record<string, string>;
  /** The value of the text form (after `scheme:`) to segments; the inverse of `format`. Throws `Rejected` on garbage. */
  parse(value: string): string[];
  /** Segments to the value of the text form. Reversible for every list of segments that `check` accepts. */
  format(segments: readonly string[]): string;
  /** Whether one segment of a pattern is a native wildcard: `one` segment, or `many` (zero or more, at the end). */
  wildcard(segment: string): 'one' | 'many' | undefined;
  /**
   * Makes a substituted value one plain segment: whatever separates, matches or escapes in this scheme is
   * percent-encoded, so that a value can never add levels or wildcards.
   */
  encode(value: string): string;
  /**
   * Segments in the one spelling that stands for all that the protocol takes for the same place, for the check of grants; as many
   * as given. Without it each spelling is a place of its own. Called per checked address.
   */
  comparable?(segments: readonly string[]): string[];
  /** What the protocol refuses about a concrete address (length, empty, NUL, wildcard), as a sentence; else undefined. */
  check(segments: readonly string[]): string | undefined;
}

/** Whether `segments` lie inside `pattern`. Linear; the router uses a trie instead, this serves filters and adapters. */
export function matchesPattern(pattern: AddressPattern, address: Address): boolean {
  if (pattern.scheme !== address.scheme) return false;
  const { segments } = address;
  for (const [index, step] of pattern.segments.entries()) {
    if (step.type === 'many') return true;
    const segment = segments[index];
    if (segment === undefined) return false;
    if (step.type === 'literal' && step.value !== segment) return false;
  }
  return segments.length === pattern.segments.length;
}

/** Percent-encodes every character of `value` that occurs in `special`, and `%` itself. */
export function percentEncode(value: string, special: string): string {
  let out = '';
  for (const char of value) {
    const encode = char === '%' || special.includes(char);
    out += encode ? `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}` : char;
  }
  return out;
}

/** The inverse of `percentEncode`; leaves a `%` that starts no two-digit hexadecimal number alone. */
export function percentDecode(value: string): string {
  return value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

import { randomUUID } from 'node:crypto';
import { isExact, JsonNumber } from './json-number.ts';

/** Deepest JSON the gateway parses, in levels of arrays and objects. Deeper text could overflow the stack when written again. */
export const MAX_JSON_DEPTH = 128;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether JSON text nests arrays and objects deeper than `MAX_JSON_DEPTH`. Called per parsed body; does not overflow. */
export function isTooDeep(json: string): boolean {
  if (occurrences(json, '{') + occurrences(json, '[') <= MAX_JSON_DEPTH) return false;
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (code === QUOTE) quoted = !quoted;
    else if (quoted) index += code === BACKSLASH ? 1 : 0;
    else if (code === 0x5b || code === 0x7b) depth++;
    else if (code === 0x5d || code === 0x7d) depth--;
    if (depth > MAX_JSON_DEPTH) return true;
  }
  return false;
}

/** How often a character occurs; counts no further than matters. */
function occurrences(text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0 && count <= MAX_JSON_DEPTH; at = text.indexOf(character, at + 1))
    count++;
  return count;
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** Whether a character belongs to a run of digits and dots. */
const isRun = (code: number): boolean => isDigit(code) || code === 0x2e;

/** Shortest run of digits and dots, and shortest exponent, of a number that a double may not hold. */
const SUSPECT = { run: 16, exponent: 3 } as const;

/**
 * Whether JSON in UTF-8 may hold a number that no double holds: one with a run of 16 digits and dots, or an exponent of 3
 * digits. False is certain. Looks at every third byte only, which for a body of 256 bytes costs a sixth of parsing it.
 * Called per parsed body.
 */
export function mayBeInexact(json: Uint8Array): boolean {
  for (let at = SUSPECT.exponent - 1; at < json.length; at += SUSPECT.exponent) {
    if (!isRun(json[at]!)) continue;
    let start = at;
    while (start > 0 && isRun(json[start - 1]!)) start--;
    let end = at + 1;
    while (end < json.length && isRun(json[end]!)) end++;
    if (end - start >= SUSPECT.run || (end - start >= SUSPECT.exponent && isExponent(json, start))) return true;
    at = end;
  }
  return false;
}

/** Whether `e`, `E` or one of them with a sign stands before. */
function isExponent(json: Uint8Array, start: number): boolean {
  const before = json[start - 1];
  const letter = before === 0x2b || before === 0x2d ? json[start - 2] : before;
  return letter === 0x65 || letter === 0x45;
}

/**
 * Parses JSON (RFC 8259) without changing a number: one that no double holds becomes what `hold` makes of its digits, by
 * default a `JsonNumber`. Everything else takes the way of `JSON.parse`.
 * @param bytes the text in UTF-8, where the caller has it
 * @throws SyntaxError when the text is not JSON
 */
export function parseJson(
  text: string,
  hold: (digits: string) => unknown = createNumber,
  bytes: Uint8Array = Buffer.from(text),
): unknown {
  if (!mayBeInexact(bytes)) return JSON.parse(text);
  const marked = markInexact(text);
  const value: unknown = JSON.parse(marked);
  return marked === text ? value : withNumbers(value, hold);
}

const createNumber = (digits: string): JsonNumber => new JsonNumber(digits);

/** Begins a string that stands for a number. Nobody outside knows it, so no text can hold it. */
const MARK = `number-${randomUUID()}:`;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

/** The text with every number that no double holds as a string that begins with `MARK`. What is not JSON stays so. */
function markInexact(text: string): string {
  const marked: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = afterString(text, at);
    else if (isNumberCode(code)) {
      const end = endOfNumber(text, at);
      const digits = text.slice(at, end);
      if (!isExact(digits) && NUMBER.test(digits) && !isKey(text, end)) {
        marked.push(text.slice(copied, at), '"', MARK, digits, '"');
        copied = end;
      }
      at = end;
    } else at++;
  }
  return copied === 0 ? text : marked.join('') + text.slice(copied);
}

/** Index after the string that begins at `start`. */
function afterString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

/** Whether a character can begin a number. */
const isNumberCode = (code: number): boolean => isDigit(code) || code === 0x2d;

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    // Signs, the dot, e and E.
    if (!isNumberCode(code) && code !== 0x2b && code !== 0x2e && code !== 0x45 && code !== 0x65) break;
  }
  return end;
}

/** Whether a colon follows: a number cannot be a key, and a string in its place must not make it one. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (' \t\n\r'.includes(text[at] ?? '-')) at++;
  return text[at] === ':';
}

type Branch = Record<string, unknown>;

/** Arrays too: their indices are keys. */
const isBranch = (value: unknown): value is Branch => typeof value === 'object' && value !== null;

/** Puts the numbers in the place of their strings. */
function withNumbers(root: unknown, hold: (digits: string) => unknown): unknown {
  const whole: Branch = { root };
  const open = [whole];
  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    for (const key of Object.keys(branch)) {
      const value = branch[key];
      if (isBranch(value)) open.push(value);
      else if (typeof value === 'string' && value.startsWith(MARK)) branch[key] = hold(value.slice(MARK.length));
    }
  }
  return whole.root;
}

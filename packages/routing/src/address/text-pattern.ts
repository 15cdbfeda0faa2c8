import type { Report } from '../report.ts';

/** A compiled `text:` pattern such as `!{device} {state}`. */
export interface TextPattern {
  readonly source: string;
  /** Names it captures; each is a text. */
  readonly captures: readonly string[];
  /**
   * The captures when the whole text fits, else undefined. Linear in the text: every literal is searched once, from left to
   * right. `{name}` takes one or more characters that are not white space; `{name*}`, only at the end, takes all that
   * remains as it is, which may be nothing. White space around the text does not count, and any amount of it is one blank.
   */
  match(text: string): Readonly<Record<string, string>> | undefined;
  /** Whether a text begins as the pattern does before its first capture. */
  begins(text: string): boolean;
}

interface Slot {
  readonly name: string;
  readonly rest: boolean;
  /** The literal that follows it. */
  readonly after: string;
}

interface Parsed {
  readonly before: string;
  readonly slots: readonly Slot[];
}

/**
 * Compiles a text pattern; `{{` and `}}` are literal braces. With `ignoreCase` its literals fit in upper and lower case.
 * Undefined after reporting what is wrong.
 */
export function compileTextPattern(source: string, report: Report, ignoreCase = false): TextPattern | undefined {
  const written = parse(source, report);
  if (written === undefined) return undefined;
  const compared = ignoreCase ? folded : (text: string): string => text;
  const parsed = forgiving(written, compared);
  const { before, slots } = parsed;
  const begins = (text: string): boolean =>
    text.startsWith(before) || (before.endsWith(' ') && text === before.trimEnd());
  return {
    source,
    captures: slots.map(({ name }) => name),
    match: (text) => match(parsed, text, compared),
    begins: (text) => begins(compared(plain(text))),
  };
}

/** The pattern with single blanks, none around it, and literals as they are compared. */
function forgiving({ before, slots }: Parsed, compared: (text: string) => string): Parsed {
  const literal = (text: string): string => compared(text.replace(/\s+/g, ' '));
  const start = literal(before).trimStart();
  if (slots.length === 0) return { before: start.trimEnd(), slots };
  const last = slots.length - 1;
  return {
    before: start,
    slots: slots.map((slot, index) => {
      const after = literal(slot.after);
      return { ...slot, after: index === last ? after.trimEnd() : after };
    }),
  };
}

/** In lower case where that has as many characters. */
const folded = (text: string): string =>
  text.replace(/\p{Lu}/gu, (letter) => {
    const lower = letter.toLowerCase();
    return lower.length === letter.length ? lower : letter;
  });

/** The text asked for last: all patterns look at one before the next. */
let latest = { text: '', plain: '' };

/** A text with single blanks and none at its start; the one at its end matters only to what takes the rest. */
function plain(text: string): string {
  if (latest.text !== text) latest = { text, plain: text.trimStart().replace(/\s+/g, ' ') };
  return latest.plain;
}

/** What remains of a text behind as many characters of its plain form. */
function restOf(text: string, count: number): string {
  const blanks = /\s*/y;
  let at = text.length - text.trimStart().length;
  for (let passed = 0; passed < count; passed++) {
    blanks.lastIndex = at;
    at += blanks.exec(text)?.[0].length || 1;
  }
  return text.slice(at);
}

const PIECE = /\{\{|\}\}|\{([^{}*]*)(\*?)\}|[{}]|[^{}]+/g;

function parse(source: string, report: Report): Parsed | undefined {
  let before = '';
  const slots: Slot[] = [];
  for (const found of source.matchAll(PIECE)) {
    const [piece, name, star] = found;
    const range = { start: found.index, end: found.index + piece.length };
    const last = slots.at(-1);
    if (name !== undefined) {
      const wrong = slotProblem(name, last);
      if (wrong !== undefined) return void report.error(wrong, { range });
      slots.push({ name, rest: star === '*', after: '' });
      continue;
    }
    if (piece === '{' || piece === '}') {
      return void report.error(`a single "${piece}"`, {
        range,
        hint: 'write {name} for a capture, {{ or }} for a brace',
      });
    }
    const literal = piece === '{{' || piece === '}}' ? piece.slice(1) : piece;
    if (last?.rest === true)
      return void report.error(`{${last.name}*} takes all remaining text and must come last`, { range });
    if (last === undefined) before += literal;
    else slots[slots.length - 1] = { ...last, after: last.after + literal };
  }
  return { before, slots };
}

function slotProblem(name: string, last: Slot | undefined): string | undefined {
  if (name === '') return 'a capture without a name';
  if (last?.rest === true) return `{${last.name}*} takes all remaining text and must come last`;
  if (last?.after === '') return `nothing between {${last.name}} and {${name}} says where the one ends`;
  return undefined;
}

function match(
  { before, slots }: Parsed,
  said: string,
  compared: (text: string) => string,
): Readonly<Record<string, string>> | undefined {
  const own = slots.at(-1)?.rest === true ? plain(said) : plain(said).trimEnd();
  const text = compared(own);
  if (slots.length === 0) return text === before ? {} : undefined;
  if (!text.startsWith(before)) return undefined;
  const captures: Record<string, string> = {};
  let at = before.length;
  for (const [index, slot] of slots.entries()) {
    if (slot.rest) return { ...captures, [slot.name]: restOf(said, at) };
    const end = endOf(slot, text, at, index === slots.length - 1);
    if (end === undefined) return undefined;
    const value = own.slice(at, end);
    if (value === '' || /\s/.test(value)) return undefined;
    captures[slot.name] = value;
    at = end + slot.after.length;
  }
  return captures;
}

/** Where a capture ends: before the first occurrence of its literal, for the last one before the end of the text. */
function endOf(slot: Slot, text: string, from: number, last: boolean): number | undefined {
  if (last) {
    const end = text.length - slot.after.length;
    return end >= from && text.endsWith(slot.after) ? end : undefined;
  }
  const end = text.indexOf(slot.after, from + 1);
  return end < 0 ? undefined : end;
}

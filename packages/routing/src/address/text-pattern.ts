import type { Report } from '../report.ts';

/** A compiled `text:` pattern such as `!{device} {state}`. */
export interface TextPattern {
  readonly source: string;
  /** Names it captures; each is a text. */
  readonly captures: readonly string[];
  /**
   * The captures when the whole text fits, else undefined. Linear in the text: every literal is searched once, from left to
   * right. `{name}` takes one or more characters that are not white space; `{name*}`, only at the end, takes all that
   * remains, which may be nothing.
   */
  match(text: string): Readonly<Record<string, string>> | undefined;
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

/** Compiles a text pattern; `{{` and `}}` are literal braces. Undefined after reporting what is wrong. */
export function compileTextPattern(source: string, report: Report): TextPattern | undefined {
  const parsed = parse(source, report);
  if (parsed === undefined) return undefined;
  return {
    source,
    captures: parsed.slots.map(({ name }) => name),
    match: (text) => match(parsed, text),
  };
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

function match({ before, slots }: Parsed, text: string): Readonly<Record<string, string>> | undefined {
  if (slots.length === 0) return text === before ? {} : undefined;
  if (!text.startsWith(before)) return undefined;
  const captures: Record<string, string> = {};
  let at = before.length;
  for (const [index, slot] of slots.entries()) {
    const end = endOf(slot, text, at, index === slots.length - 1);
    if (end === undefined) return undefined;
    const value = text.slice(at, end);
    if (!slot.rest && (value === '' || /\s/.test(value))) return undefined;
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

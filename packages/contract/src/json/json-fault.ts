/** Where a text stops being JSON. */
export interface JsonFault {
  /** Index of the first character that does not fit. */
  readonly at: number;
  /** What was expected and what stands there, never more of the text than one character or a word such as `NaN`. */
  readonly message: string;
}

/** What may come next: a value, a key, a colon, or what follows a value. */
type Next = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'end';

const EXPECTED: Readonly<Record<Next, string>> = {
  value: 'a value',
  'first value': 'a value or "]"',
  key: 'a key in double quotes',
  'first key': 'a key in double quotes or "}"',
  colon: '":"',
  end: 'nothing more',
};

const TOKEN = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\d.eE+-])/y;

/**
 * The first place at which a text is not JSON (RFC 8259); undefined when it is. One pass over the text, without recursion:
 * called only for people, when something failed because a body is not JSON.
 */
export function jsonFault(text: string): JsonFault | undefined {
  const open: ('{' | '[')[] = [];
  let next = 'value' as Next;
  let at = 0;
  for (;;) {
    while (' \t\n\r'.includes(text[at] ?? '-')) at++;
    const character = text[at];
    if (character === undefined) return next === 'end' && open.length === 0 ? undefined : fault(text, at, next, open);
    const inside = open.at(-1);
    if (next === 'end') {
      const closing = inside === '{' ? '}' : ']';
      if (inside === undefined || (character !== ',' && character !== closing)) return fault(text, at, next, open);
      if (character === closing) open.pop();
      else next = inside === '{' ? 'key' : 'value';
      at++;
    } else if (next === 'colon') {
      if (character !== ':') return fault(text, at, next, open);
      next = 'value';
      at++;
    } else if (character === '"') {
      const string = endOfString(text, at);
      if (typeof string !== 'number') return string;
      next = next === 'key' || next === 'first key' ? 'colon' : 'end';
      at = string;
    } else if ((next === 'first key' && character === '}') || (next === 'first value' && character === ']')) {
      open.pop();
      next = 'end';
      at++;
    } else if (next === 'key' || next === 'first key') return fault(text, at, next, open);
    else if (character === '{' || character === '[') {
      open.push(character);
      next = character === '{' ? 'first key' : 'first value';
      at++;
    } else {
      TOKEN.lastIndex = at;
      if (!TOKEN.test(text)) return fault(text, at, next, open);
      next = 'end';
      at = TOKEN.lastIndex;
    }
  }
}

/** What other languages write where JSON has nothing. */
const FOREIGN = /-?(?:NaN|nan|Infinity|inf|undefined|True|False|None|nil)\b/y;

function fault(text: string, at: number, next: Next, open: readonly ('{' | '[')[]): JsonFault {
  const inside = open.at(-1);
  const expected = next !== 'end' || inside === undefined ? EXPECTED[next] : `"," or "${inside === '{' ? '}' : ']'}"`;
  FOREIGN.lastIndex = at;
  const word = FOREIGN.exec(text)?.[0];
  return { at, message: `expected ${expected}, got ${word ?? named(text.codePointAt(at))}` };
}

/** Index after a string, or what is wrong in it. */
function endOfString(text: string, start: number): number | JsonFault {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return { at, message: `expected control characters escaped in a string, got ${named(code)}` };
    if (code !== 0x5c) continue;
    if (!/^(?:["\\/bfnrt]|u[\da-fA-F]{4})/.test(text.slice(at + 1, at + 6))) {
      return { at, message: 'expected an escape such as \\n or \\u00e9 after "\\"' };
    }
    at++;
  }
  return { at: text.length, message: 'expected the string to be closed, got the end of the body' };
}

const NAMES: ReadonlyMap<number | undefined, string> = new Map([
  [undefined, 'the end of the body'],
  [0, 'NUL (a C string sent with its terminator?)'],
  [0xfeff, 'a byte order mark'],
]);

/** A character for a message: what cannot be seen by its number. */
const named = (code: number | undefined): string =>
  NAMES.get(code) ??
  (code === undefined ||
  code < 0x21 ||
  (code >= 0x7f && code < 0xa1) ||
  /[\p{C}\p{Z}]/u.test(String.fromCodePoint(code))
    ? `U+${code?.toString(16).toUpperCase().padStart(4, '0')}`
    : `"${String.fromCodePoint(code)}"`);

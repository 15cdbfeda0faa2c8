/** A piece of a template: literal text, or the source of an expression and where it begins in the template. */
export type Token =
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'expression'; readonly source: string; readonly start: number };

/** A `${` whose `}` is missing. */
export interface Unclosed {
  readonly start: number;
  readonly end: number;
}

/**
 * Splits a template into text and `${…}` expressions. `$${` is a literal `${`. Inside an expression, braces nest and
 * quoted strings (also `"""…"""` and raw ones) and comments are skipped, so that `${ {"a": "}"}["a"] }` is one expression.
 */
export function tokenize(template: string): readonly Token[] | Unclosed {
  const tokens: Token[] = [];
  let text = '';
  let at = 0;
  while (at < template.length) {
    if (template.startsWith('$${', at)) {
      text += '${';
      at += 3;
    } else if (template.startsWith('${', at)) {
      const end = endOfExpression(template, at + 2);
      if (end === undefined) return { start: at, end: template.length };
      if (text !== '') tokens.push({ type: 'text', value: text });
      tokens.push({ type: 'expression', source: template.slice(at + 2, end), start: at + 2 });
      text = '';
      at = end + 1;
    } else {
      text += template[at];
      at++;
    }
  }
  if (text !== '') tokens.push({ type: 'text', value: text });
  return tokens;
}

/** Index of the `}` that closes an expression starting at `from`; undefined when there is none. */
function endOfExpression(template: string, from: number): number | undefined {
  let depth = 0;
  let at = from;
  while (at < template.length) {
    const char = template[at];
    if (char === '"' || char === "'") at = afterString(template, at, char);
    else if (template.startsWith('//', at)) at = afterComment(template, at);
    else if (char === '}' && depth === 0) return at;
    else {
      if (char === '{') depth++;
      if (char === '}') depth--;
      at++;
    }
  }
  return undefined;
}

/** The language's own rule: a backslash takes the next character with it, in raw strings too. */
function afterString(template: string, from: number, quote: string): number {
  const triple = quote.repeat(3);
  const close = template.startsWith(triple, from) ? triple : quote;
  let at = from + close.length;
  while (at < template.length && !template.startsWith(close, at)) at += template[at] === '\\' ? 2 : 1;
  return at + close.length;
}

function afterComment(template: string, from: number): number {
  const end = template.indexOf('\n', from);
  return end < 0 ? template.length : end;
}

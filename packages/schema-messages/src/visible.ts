/** Controls (C0, C1, DEL), invisible format characters such as bidi overrides, odd line ends and lone surrogates. */
const INVISIBLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Escapes of one character as JSON writes them, so that JSON stays the same value. */
const escaped = (char: string): string =>
  SHORT[char] ??
  char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/**
 * A foreign text as it may stand on a terminal or in a line of a log: characters that move the cursor, change colours, break
 * the line or turn the direction of writing are shown as escapes, such as `\u001b`. The two joiners that scripts and emoji
 * need stay. Pure; used for every text that others have written.
 */
export const visible = (text: string): string => text.replace(INVISIBLE, escaped);

/** The same for text of several lines that we have laid out: its line breaks and tabs stay. */
export const visibleLines = (text: string): string =>
  text.replace(INVISIBLE, (char) => (char === '\n' || char === '\t' ? char : escaped(char)));

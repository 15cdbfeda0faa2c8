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
 * A foreign text made safe for a terminal or a log line: characters that move the cursor, change colours, break the
 * line or reverse the writing direction become escapes such as `\u001b`. The two joiners that scripts and emoji need
 * are kept. Pure; used for every text from outside.
 */
export const visible = (text: string): string => text.replace(INVISIBLE, escaped);

/** The same for our own multi-line text: its line breaks and tabs are kept. */
export const visibleLines = (text: string): string =>
  text.replace(INVISIBLE, (char) => (char === '\n' || char === '\t' ? char : escaped(char)));

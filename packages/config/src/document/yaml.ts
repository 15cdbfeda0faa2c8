import type { Problem } from '@magpie/schema-messages';
import { type Document, LineCounter, parseDocument, type YAMLError } from 'yaml';
import { duplicateKeys } from './duplicate-keys.ts';

/** Largest configuration file in characters. */
const MAX_LENGTH = 4 * 1024 * 1024;

/** Brackets that may be open at a time, those in texts included: the parser takes seconds for a file of nothing else. */
const MOST_OPEN = 10_000;

/** Keys are checked by `duplicateKeys`. */
const OPTIONS = { prettyErrors: false, logLevel: 'error', uniqueKeys: false } as const;

/** A problem of the file itself, located by its place in the text because it has no pointer. */
export interface TextProblem extends Problem {
  /** Character offsets in the file. */
  readonly at: { readonly start: number; readonly end: number };
}

/** A parsed YAML file. `document` is undefined when the text cannot be read at all. */
export interface ParsedDocument {
  readonly document: Document | undefined;
  readonly lines: LineCounter;
  readonly problems: readonly TextProblem[];
}

/**
 * Parses one YAML 1.2 document. The library's warnings are errors here, because they change the meaning of the file.
 */
export function parseYaml(text: string): ParsedDocument {
  const lines = new LineCounter();
  if (text.length > MAX_LENGTH) {
    const message = `expected at most ${MAX_LENGTH} characters, got ${text.length}`;
    return { document: undefined, lines, problems: [textProblem(message, 0, 0)] };
  }
  if (opensMoreThan(text, MOST_OPEN)) {
    return { document: undefined, lines, problems: [textProblem(tooDeep('nesting that is far too deep'), 0, 0)] };
  }
  try {
    const document = parseDocument(text, { ...OPTIONS, lineCounter: lines });
    const duplicates = duplicateKeys(document).map((start) => textProblem(DUPLICATE_KEY, start, start + 1));
    const [errors, warnings] = [document.errors.map(yamlProblem), document.warnings.map(yamlProblem)];
    return { document, lines, problems: [...errors, ...duplicates, ...warnings] };
  } catch (error) {
    // The composer is recursive: thousands of nested brackets overflow its stack.
    const message = tooDeep(error instanceof RangeError ? 'nesting that is far too deep' : `${error}`);
    return { document: undefined, lines, problems: [textProblem(message, 0, 0)] };
  }
}

const tooDeep = (got: string): string => `expected YAML with moderate nesting, got ${got}`;

function opensMoreThan(text: string, most: number): boolean {
  let open = 0;
  for (let at = 0; at < text.length && open <= most; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) open++;
    else if ((code === 0x5d || code === 0x7d) && open > 0) open--;
  }
  return open > most;
}

function yamlProblem({ code, message, pos }: YAMLError): TextProblem {
  const [start, end] = pos;
  const hint = HINTS[code] ?? (message.includes('{') ? QUOTE_REFERENCE : undefined);
  return { ...textProblem(WORDING[code] ?? sentence(message), start, end), ...(hint ? { hint } : {}) };
}

const textProblem = (message: string, start: number, end: number): TextProblem => ({
  severity: 'error',
  pointer: '',
  message,
  at: { start, end: Math.max(end, start + 1) },
});

const sentence = (message: string): string => `not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;

const QUOTE = 'put the whole value in double quotes, for example "!payload.ok"';
const QUOTE_REFERENCE = 'a value that contains "{" or ": " needs double quotes, for example "${env:NAME}"';

const DUPLICATE_KEY = 'expected each key once per mapping, got this key a second time';

const WORDING: Readonly<Record<string, string>> = {
  TAG_RESOLVE_FAILED: 'expected a value, got a YAML tag: a value that begins with "!" must be quoted',
  MULTIPLE_DOCS: 'expected one YAML document in the file, got a second one',
};

const HINTS: Readonly<Record<string, string>> = {
  TAG_RESOLVE_FAILED: QUOTE,
  TAB_AS_INDENT: 'indent with spaces',
  BAD_SCALAR_START: 'put the value in double quotes',
  UNEXPECTED_TOKEN: QUOTE_REFERENCE,
  BLOCK_AS_IMPLICIT_KEY: QUOTE_REFERENCE,
  MULTILINE_IMPLICIT_KEY: QUOTE_REFERENCE,
  MISSING_CHAR: 'close every bracket and quote, and quote values that contain "{", "[", ": " or " #"',
};

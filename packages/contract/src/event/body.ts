import { isTooDeep, MAX_JSON_DEPTH, parseJson } from '../json/json.ts';
import { jsonFault } from '../json/json-fault.ts';
import { decodeText } from './text-values.ts';

/** A message body in one of the three forms users write: JSON value, text, or base64 bytes. */
export interface BodyForms {
  /** Numbers that no double holds are `JsonNumber`; `JSON.stringify` writes their digits. */
  readonly payload?: unknown;
  readonly text?: string;
  readonly base64?: string;
}

/** The names of the three forms, in configuration, REST, WebSocket and CLI alike. */
export const BODY_FORMS = ['payload', 'text', 'base64'] as const;

/** Whether a media type is JSON: `application/json`, `text/json` or any `+json`. */
export const isJsonType = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^[^;]*[/+]json\s*(;|$)/i.test(contentType);

/** Bytes and media type of a body given in one of the three forms; undefined when none is given. */
export function encodeBody(forms: BodyForms): { body: Uint8Array; contentType?: string } | undefined {
  if (forms.payload !== undefined) {
    return { body: Buffer.from(JSON.stringify(forms.payload)), contentType: 'application/json' };
  }
  if (forms.text !== undefined) {
    return { body: Buffer.from(forms.text.toWellFormed()), contentType: 'text/plain; charset=utf-8' };
  }
  return forms.base64 === undefined ? undefined : { body: Buffer.from(forms.base64, 'base64') };
}

/**
 * The parsed JSON of a body: when its media type says JSON, or without a media type when it begins with `{` or `[`. A byte
 * order mark and NULs after the end, which C programs send, are skipped. Numbers are as `parseJson` says. Undefined when it
 * is not JSON, or nested too deep: `whyNotJson` says why. Called once per event that an expression looks into, and per event
 * that is shown.
 */
export function parseJsonBody(
  body: Uint8Array,
  contentType: string | undefined,
  hold?: (digits: string) => unknown,
): unknown {
  const text = jsonText(body, contentType);
  if (text === undefined || isTooDeep(text)) return undefined;
  try {
    // Runs of digits are the same bytes in every charset but those of two bytes, which are rare.
    return parseJson(text, hold, text.length === body.byteLength ? body : Buffer.from(text));
  } catch {
    return undefined;
  }
}

/** Why `parseJsonBody` gives nothing for a body, in words that follow "the body is not JSON: ". Called for error messages. */
export function whyNotJson(body: Uint8Array, contentType: string | undefined): string {
  if (body.byteLength === 0) return 'it is empty';
  if (!mayBeJson(body, contentType)) {
    return contentType === undefined
      ? 'it begins with neither "{" nor "["'
      : `its media type is "${shown(contentType)}"`;
  }
  const text = jsonText(body, contentType);
  if (text === undefined) return 'its bytes are not text in UTF-8 or the charset declared';
  if (isTooDeep(text)) return `it is nested more than ${MAX_JSON_DEPTH} deep`;
  const fault = jsonFault(text);
  if (fault === undefined) return 'it cannot be parsed';
  return `${fault.message}, at byte ${markLength(body) + Buffer.byteLength(text.slice(0, fault.at))}`;
}

const LONGEST_TYPE = 80;

const shown = (contentType: string): string =>
  contentType.length > LONGEST_TYPE ? `${contentType.slice(0, LONGEST_TYPE)}…` : contentType;

/** Length of a byte order mark (UTF-8). */
const markLength = (body: Uint8Array): number => (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0);

function mayBeJson(body: Uint8Array, contentType: string | undefined): boolean {
  if (contentType !== undefined) return isJsonType(contentType);
  const first = body[markLength(body)];
  return first === 0x7b || first === 0x5b;
}

/** The text to parse; undefined when nothing says JSON or the bytes are no text. */
function jsonText(body: Uint8Array, contentType: string | undefined): string | undefined {
  if (!mayBeJson(body, contentType)) return undefined;
  const text = decodeText(body, contentType);
  if (text === undefined || text === '') return text;
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let end = text.length;
  while (end > start && text.charCodeAt(end - 1) === 0) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** The form in which a body is shown: JSON as `payload`, text in its charset as `text`, anything else as `base64`. */
export function showBody(body: Uint8Array, contentType: string | undefined): BodyForms {
  const payload = parseJsonBody(body, contentType);
  if (payload !== undefined) return { payload };
  const text = decodeText(body, contentType);
  return text === undefined ? { base64: Buffer.from(body).toString('base64') } : { text };
}

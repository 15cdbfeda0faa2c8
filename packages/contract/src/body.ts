import { decodeUtf8 } from './text-values.ts';

/** A message body in one of the three forms users write: JSON value, text, or base64 bytes. */
export interface BodyForms {
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

/** Deepest JSON the gateway parses, in levels of arrays and objects. Deeper text could overflow the stack when written again. */
export const MAX_JSON_DEPTH = 128;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Whether JSON text nests arrays and objects deeper than `MAX_JSON_DEPTH`. Looks at the bytes only, so it cannot overflow. */
export function isTooDeep(json: Uint8Array): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < json.length; index++) {
    const byte = json[index];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) index += byte === BACKSLASH ? 1 : 0;
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    if (depth > MAX_JSON_DEPTH) return true;
  }
  return false;
}

/**
 * The parsed JSON of a body: when its media type says JSON, or without a media type when the first byte is `{` or `[`.
 * Undefined when it is not JSON, or nested too deep. Used for `payload` in expressions and in the JSON form of an event.
 */
export function parseJsonBody(body: Uint8Array, contentType: string | undefined): unknown {
  const sniffed = contentType === undefined && (body[0] === 0x7b || body[0] === 0x5b);
  if (!sniffed && !isJsonType(contentType)) return undefined;
  const text = decodeUtf8(body);
  if (text === undefined || isTooDeep(body)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The form in which a body is shown: JSON as `payload`, UTF-8 as `text`, anything else as `base64`. */
export function showBody(body: Uint8Array, contentType: string | undefined): BodyForms {
  const payload = parseJsonBody(body, contentType);
  if (payload !== undefined) return { payload };
  const text = decodeUtf8(body);
  return text === undefined ? { base64: Buffer.from(body).toString('base64') } : { text };
}

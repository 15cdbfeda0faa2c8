import { TextDecoder } from 'node:util';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const PREFIX = 'base64:';

/** The text of `bytes` when they are valid UTF-8, else undefined. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * The text of a body in the charset that its media type declares (`text/plain; charset=iso-8859-1`), else in UTF-8;
 * undefined when the bytes do not fit it. An unknown charset counts as none. Called per body that is looked at.
 */
export function decodeText(bytes: Uint8Array, contentType: string | undefined): string | undefined {
  const label = contentType === undefined ? undefined : charsetOf(contentType);
  const declared = label === undefined ? undefined : decoderOf(label, bytes);
  if (declared === undefined) return decodeUtf8(bytes);
  try {
    return declared.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The charset of a media type when it is not UTF-8 or ASCII (RFC 9110, 8.3.2), in lower case. */
function charsetOf(contentType: string): string | undefined {
  if (!contentType.includes(';')) return undefined;
  const label = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType)?.[1]?.toLowerCase();
  return label === 'utf-8' || label === 'utf8' || label === 'us-ascii' ? undefined : label;
}

/** Decoders by label; undefined for an unknown label. Senders choose labels, so few are kept. */
const decoders = new Map<string, TextDecoder | undefined>();
const MOST_DECODERS = 64;

function decoderOf(label: string, bytes: Uint8Array): TextDecoder | undefined {
  // RFC 2781, 4.3: a byte order mark decides what "utf-16" means.
  const name = label === 'utf-16' && bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : label;
  if (!decoders.has(name)) {
    if (decoders.size === MOST_DECODERS) decoders.clear();
    decoders.set(name, createDecoder(name));
  }
  return decoders.get(name);
}

function createDecoder(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label, { fatal: true });
  } catch {
    return undefined;
  }
}

/** Bytes as text, reversibly: UTF-8 as it is, anything else (and text that starts with `base64:`) as `base64:…`. */
export function bytesToText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  return text !== undefined && !text.startsWith(PREFIX) ? text : PREFIX + Buffer.from(bytes).toString('base64');
}

/** The inverse of `bytesToText`. */
export const textToBytes = (text: string): Uint8Array =>
  text.startsWith(PREFIX) ? Buffer.from(text.slice(PREFIX.length), 'base64') : Buffer.from(text, 'utf8');

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

/** Bytes as text, reversibly: UTF-8 as it is, anything else (and text that starts with `base64:`) as `base64:…`. */
export function bytesToText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  return text !== undefined && !text.startsWith(PREFIX) ? text : PREFIX + Buffer.from(bytes).toString('base64');
}

/** The inverse of `bytesToText`. */
export const textToBytes = (text: string): Uint8Array =>
  text.startsWith(PREFIX) ? Buffer.from(text.slice(PREFIX.length), 'base64') : Buffer.from(text, 'utf8');

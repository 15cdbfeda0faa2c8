import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';

/** A contact's picture. */
export interface Photo {
  readonly type: string;
  readonly bytes: Buffer;
  /** Hex, as clients know it again by (XEP-0153, XEP-0084). */
  readonly sha1: string;
}

/** What fits into a stanza as base64, with the rest of a card, on every server. */
export const MOST_PHOTO_BYTES = 128 * 1024;

const SIGNATURES: ReadonlyArray<readonly [type: string, signature: RegExp]> = [
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF.{4}WEBP/s],
];

/**
 * Reads a picture for contacts. Called for each at every connect, so that a new one is shown then.
 * @throws Error that says what is wrong with the file.
 */
export async function readPhoto(path: string): Promise<Photo> {
  // Opening a pipe would wait for somebody to write into it.
  if (!(await stat(path)).isFile()) throw new Error('expected a file with a picture');
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > MOST_PHOTO_BYTES) throw new Error(`expected a picture of at most 128 KiB, got ${size} bytes`);
    const bytes = await file.readFile();
    const head = bytes.toString('latin1', 0, 16);
    const type = SIGNATURES.find(([, signature]) => signature.test(head))?.[0];
    if (type === undefined) throw new Error('expected a picture: PNG, JPEG, GIF or WebP');
    return { type, bytes, sha1: createHash('sha1').update(bytes).digest('hex') };
  } finally {
    await file.close();
  }
}

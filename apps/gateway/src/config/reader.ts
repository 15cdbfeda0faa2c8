import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { readTextFile } from '@magpie/contract';

/** The files read to load a configuration. */
export interface FilesRead {
  /** Absolute paths of all files that were read or found missing, in the order of first use. */
  readonly files: readonly string[];
  /**
   * Hash of the contents of all those files: while `fingerprintOf(files)` is the same, loading again gives the same
   * result.
   */
  readonly fingerprint: string;
}

/** Reads text files and remembers their paths and contents. */
export function createReader() {
  const contents = new Map<string, string>();
  const read = (path: string): string => {
    const file = resolve(path);
    const now = contentOf(file);
    const before = contents.get(file) ?? now.digest;
    contents.set(file, before === now.digest ? before : `${before} ${now.digest}`); // The file changed while it was read: a fingerprint that equals no other.
    if ('error' in now) throw now.error;
    return now.text;
  };
  return { read, seen: (): FilesRead => ({ files: [...contents.keys()], fingerprint: joined(contents) }) };
}

/** The fingerprint of the present contents of files. */
export const fingerprintOf = (files: readonly string[]): string =>
  joined(files.map((file) => [file, contentOf(file).digest]));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const joined = (contents: Iterable<readonly [string, string]>): string =>
  sha256([...contents].map(([file, digest]) => `${file}\0${digest}`).join('\0'));

type Content =
  | { readonly digest: string; readonly text: string }
  | { readonly digest: string; readonly error: unknown };

function contentOf(file: string): Content {
  try {
    const text = readTextFile(file);
    return { digest: sha256(text), text };
  } catch (error) {
    return { digest: 'unreadable', error };
  }
}

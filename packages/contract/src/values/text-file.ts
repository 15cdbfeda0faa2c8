import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** Largest file that is read as a whole, bytes. */
export const MAX_TEXT_FILE: number = 16 * 1024 * 1024;

const CHUNK = 64 * 1024;

/** What a path leads to is no file that can be read as a whole. The message says what it is instead. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  /** As errors of the system have it, for messages that must not show the path. */
  readonly code: 'NOT_A_FILE' | 'FILE_TOO_LARGE';

  constructor(code: UnreadableFile['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Reads a small text file: a configuration, a secret, a certificate. Never waits: a pipe would hold everything up until
 * somebody writes to it, and a device may have no end. Called at start, per reload and per connect.
 * @throws UnreadableFile when the path leads to something else than a regular file, or to more than 16 MiB; the error of the
 * system when it cannot be opened or read.
 */
export function readTextFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const kind = otherKind(fstatSync(file));
    if (kind !== undefined)
      throw new UnreadableFile('NOT_A_FILE', `expected a regular file, which can be read again: this is ${kind}`);
    return readAll(file).toString('utf8');
  } finally {
    closeSync(file);
  }
}

function otherKind(stat: Stats): string | undefined {
  if (stat.isFile()) return undefined;
  if (stat.isDirectory()) return 'a directory';
  return stat.isFIFO() ? 'a pipe' : 'a device or a socket';
}

/** Reads to the end, whatever the size is said to be: files of /proc say 0. */
function readAll(file: number): Buffer {
  const chunks: Buffer[] = [];
  for (let size = 0; ; ) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    const length = readSync(file, chunk);
    if (length === 0) return Buffer.concat(chunks, size);
    size += length;
    if (size > MAX_TEXT_FILE)
      throw new UnreadableFile('FILE_TOO_LARGE', `expected a file of at most ${MAX_TEXT_FILE / 2 ** 20} MiB`);
    chunks.push(chunk.subarray(0, length));
  }
}

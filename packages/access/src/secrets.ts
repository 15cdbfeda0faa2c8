import { createHash, randomBytes } from 'node:crypto';

/** What every key of ours begins with, so that scanners of repositories and logs find it. */
const PREFIX = 'mpk_';

/** A new key with 256 random bits. It is shown once and kept nowhere. */
export const newSecret = (): string => `${PREFIX}${randomBytes(32).toString('base64url')}`;

/** What is kept of a key: its SHA-256 in hexadecimal. A key has too many bits for guessing, so it needs no slow hash. */
export const hashOfSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

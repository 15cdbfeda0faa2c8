import { readFileSync } from 'node:fs';

/** The version of this gateway, from its package. */
export const version: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

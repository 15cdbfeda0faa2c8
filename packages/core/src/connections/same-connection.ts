import { isDeepStrictEqual } from 'node:util';
import { Secret } from '@magpie/contract';
import type { ConnectionInfo } from '@magpie/routing';

/** Whether two configurations of a connection are equal, secrets included: a reload leaves such a connection alone. */
export const isSameConnection = (a: ConnectionInfo | undefined, b: ConnectionInfo | undefined): boolean =>
  a?.adapter === b?.adapter && isDeepStrictEqual(revealed(a?.config), revealed(b?.config));

/** The same value with secrets as plain values, so that they are compared as well. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (Array.isArray(value)) return value.map(revealed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

import { HOP_LIMIT } from '@magpie/contract';

const NONE: readonly string[] = [];

/**
 * Ids of the gateways a message has passed, oldest first, as carried by a protocol. Values that are not text are left
 * out, as are ids beyond the hop limit, where routing stops anyway. Called per received message.
 */
export function viaOf(ids: Iterable<unknown>): readonly string[] {
  let via: string[] | undefined;
  for (const id of ids) {
    if (typeof id !== 'string' || id === '') continue;
    via ??= [];
    if (via.push(id) === HOP_LIMIT) break;
  }
  return via ?? NONE;
}

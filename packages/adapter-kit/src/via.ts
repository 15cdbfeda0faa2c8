import { HOP_LIMIT } from '@magpie/contract';

const NONE: readonly string[] = [];

/**
 * Ids of the gateways a message has passed, oldest first, from what a protocol carried: other values than texts are left
 * out, as are all beyond the hop limit, from which on nothing is routed. Called per received message.
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

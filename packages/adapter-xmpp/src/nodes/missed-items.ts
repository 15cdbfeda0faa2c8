import { attribute } from '../codec/stanza/element.ts';
import {
  type Item,
  itemIdsOf,
  itemIdsQuery,
  itemsIn,
  itemsRequest,
  latestItemRequest,
} from '../codec/stanza/pubsub.ts';
import { nodeError } from '../errors.ts';
import type { Link } from '../link/link.ts';
import type { NodePlace } from './existence.ts';

/** Most items of a node that are looked at. */
const MOST = 100;
/** Items asked for at once: even if each is as large as a stanza may be, the answer can be received. */
const AT_ONCE = 3;

/**
 * The ids of the newest items of a node, oldest first. Which end of a service's list is the newest is not specified, and Prosody and
 * ejabberd differ: so it is asked for the latest item as well. Rejects with a taxonomy error when the service does not give them,
 * `NotConnected` without an answer.
 */
export async function newestIds(link: Link, { service, node }: NodePlace): Promise<string[]> {
  const answer = await link.request('get', itemIdsQuery(node), service);
  if (attribute(answer, 'type') === 'error') throw nodeError(answer);
  const ids = [...new Set(itemIdsOf(answer))];
  if (ids.length < 2) return ids;
  const [latest] = itemsIn(await link.request('get', latestItemRequest(node), service));
  return latest?.id === ids.at(-1) ? ids.slice(-MOST) : ids.slice(0, MOST).reverse();
}

/** The items with these ids, a few at a time, in this order. Throws like `newestIds`. */
export async function* itemsById(
  link: Link,
  { service, node }: NodePlace,
  ids: readonly string[],
): AsyncGenerator<readonly Item[]> {
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const wanted = ids.slice(from, from + AT_ONCE);
    const answer = await link.request('get', itemsRequest(node, wanted), service);
    if (attribute(answer, 'type') === 'error') throw nodeError(answer);
    const items = itemsIn(answer);
    yield wanted.flatMap((id) => items.find((item) => item.id === id) ?? []);
  }
}

import { bareJid } from '../jid.ts';
import { attribute, type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';

/** An item of a node (XEP-0060). */
export interface Item {
  readonly id: string;
  /** Who has published it, as the service says. */
  readonly publisher: string | undefined;
  readonly payload: Element | undefined;
}

const pubsub = (child: Element): Element => xml('pubsub', { xmlns: NS.pubsub }, child);

/** Publishes an item, in place of one with that id (XEP-0060 §7.1). */
export const publishRequest = (node: string, id: string, payload: Element): Element =>
  pubsub(xml('publish', { node }, xml('item', { id }, payload)));

/** Makes a node as the service's defaults have it (§8.1). */
export const createRequest = (node: string): Element => pubsub(xml('create', { node }));

/** Asks for what is published (§6.1). @param jid bare, so that it holds for all sessions. */
export const subscribeRequest = (node: string, jid: string): Element => pubsub(xml('subscribe', { node, jid }));

/** Asks for nothing any more (§6.2). */
export const unsubscribeRequest = (node: string, jid: string): Element => pubsub(xml('unsubscribe', { node, jid }));

/** Which subscriptions to a node we have (§5.6). */
export const subscriptionsQuery = (node: string): Element => pubsub(xml('subscriptions', { node }));

/** What a node is, if there is one (§5.4). */
export const nodeQuery = (node: string): Element => xml('query', { xmlns: NS.discoInfo, node });

/** The ids of a node's items (§5.5). */
export const itemIdsQuery = (node: string): Element => xml('query', { xmlns: NS.discoItems, node });

/** Those ids, as far as the service gives any. */
export const itemIdsOf = (answer: Element): string[] =>
  (answer.getChild('query', NS.discoItems)?.getChildren('item') ?? []).flatMap((item) => attribute(item, 'name') ?? []);

/** Asks for items by their ids (§6.5.8). */
export const itemsRequest = (node: string, ids: readonly string[]): Element =>
  pubsub(xml('items', { node }, ...ids.map((id) => xml('item', { id }))));

/** Asks for the item that was published last (§6.5.7). */
export const latestItemRequest = (node: string): Element => pubsub(xml('items', { node, max_items: '1' }));

/** The items of the answer to it; none of an error. */
export const itemsIn = (answer: Element): Item[] => {
  const items = answer.getChild('pubsub', NS.pubsub)?.getChild('items');
  return items ? itemsOf(items) : [];
};

/** The items of an `<items/>`, those without an id left out. */
export const itemsOf = (items: Element): Item[] =>
  items.getChildren('item').flatMap((item) => {
    const id = attribute(item, 'id');
    const payload = item.children.find((child): child is Element => typeof child === 'object');
    return id === undefined ? [] : [{ id, publisher: attribute(item, 'publisher'), payload }];
  });

/** What a service tells of its nodes, whoever the message is from (§7.1.2). */
export const notificationIn = (message: Element): Element | undefined => message.getChild('event', NS.pubsubEvent);

/** The state of a bare JID's subscription in an answer: `subscribed`, `pending`, … The first that counts. */
export function subscriptionIn(answer: Element, jid: string): string | undefined {
  const about = answer.getChild('pubsub', NS.pubsub);
  const all = [...(about?.getChildren('subscription') ?? []), ...(about?.getChild('subscriptions')?.children ?? [])];
  const states = all.flatMap((each) =>
    typeof each === 'object' && bareJid(attribute(each, 'jid') ?? '') === jid
      ? (attribute(each, 'subscription') ?? 'subscribed')
      : [],
  );
  return states.includes('subscribed') ? 'subscribed' : states[0];
}

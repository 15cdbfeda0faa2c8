import { NotConnected } from '@magpie/contract';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import type { Link } from '../../src/link/link.ts';

export const SERVICE = 'pubsub.localhost';
export const ACCOUNT = 'bridge@localhost';

/** A publish-subscribe service (XEP-0060) in memory, which answers what a connection asks of it. */
export interface NodeService {
  /** Items by node, oldest first: id and text. */
  readonly nodes: Map<string, Array<readonly [id: string, text: string]>>;
  readonly subscribed: Set<string>;
  /** Names of what was asked, such as `subscribe`. */
  readonly asked: string[];
  /** Conditions by the name of what is asked. */
  readonly refusals: Record<string, string>;
  /** What is not answered. */
  silent: string | undefined;
  oldestFirst: boolean;
  readonly link: Link;
}

const errorOf = (condition: string): Element =>
  xml('iq', { type: 'error' }, xml('error', { type: 'cancel' }, xml(condition, { xmlns: NS.stanzaErrors })));

export const payloadOf = (text: string): Element => xml('state', { xmlns: 'urn:x' }, text);

export const itemOf = (id: string, text: string): Element => xml('item', { id }, payloadOf(text));

export function nodeService(): NodeService {
  const service: Omit<NodeService, 'link'> = {
    nodes: new Map(),
    subscribed: new Set(),
    asked: [],
    refusals: {},
    silent: undefined,
    oldestFirst: false,
  };
  const link: Pick<Link, 'request'> = {
    request: async (_type, child) => {
      const name = nameOf(child);
      service.asked.push(name);
      if (service.silent === name) throw new NotConnected('no answer within 5 ms');
      const refusal = service.refusals[name];
      return refusal === undefined ? answer(service, name, child) : errorOf(refusal);
    },
  };
  return Object.assign(service, { link: link as Link });
}

function nameOf(child: Element): string {
  if (child.name === 'query') return child.attrs.xmlns === NS.discoInfo ? 'info' : 'ids';
  return (child.children[0] as Element).name;
}

function answer(service: Omit<NodeService, 'link'>, name: string, child: Element): Element {
  const about = child.name === 'query' ? child : (child.children[0] as Element);
  const node = String(about.attrs.node);
  const items = service.nodes.get(node);
  if (name === 'create') service.nodes.set(node, []);
  else if (!items) return errorOf('item-not-found');
  if (name === 'subscribe') service.subscribed.add(node);
  if (name === 'unsubscribe') service.subscribed.delete(node);
  return xml('iq', { type: 'result' }, ...contentOf(service, name, about, items ?? []));
}

function contentOf(
  { subscribed, oldestFirst }: Omit<NodeService, 'link'>,
  name: string,
  about: Element,
  items: ReadonlyArray<readonly [id: string, text: string]>,
): Element[] {
  const node = String(about.attrs.node);
  if (name === 'ids') {
    const ids = items.map(([id]) => xml('item', { jid: SERVICE, name: id }));
    return [xml('query', { xmlns: NS.discoItems }, ...(oldestFirst ? ids : ids.reverse()))];
  }
  if (name === 'items') {
    if (about.attrs.max_items !== undefined) {
      const latest = items.slice(-1).map(([id, text]) => itemOf(id, text));
      return [xml('pubsub', { xmlns: NS.pubsub }, xml('items', { node }, ...latest))];
    }
    const wanted = new Set(about.getChildren('item').map((item) => String(item.attrs.id)));
    const found = items.filter(([id]) => wanted.has(id)).map(([id, text]) => itemOf(id, text));
    return [xml('pubsub', { xmlns: NS.pubsub }, xml('items', { node }, ...found))];
  }
  if (name === 'subscriptions') {
    const ours = subscribed.has(node) ? [xml('subscription', { node, jid: ACCOUNT, subscription: 'subscribed' })] : [];
    return [xml('pubsub', { xmlns: NS.pubsub }, xml('subscriptions', { node }, ...ours))];
  }
  return [];
}

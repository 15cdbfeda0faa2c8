import type { AdapterContext, AddressPattern, OutgoingEvent, SendReceipt } from '@magpie/contract';
import { NotConnected } from '@magpie/contract';
import type { Gaps } from '../archive/gaps.ts';
import { lanes } from '../archive/lanes.ts';
import { normalJid } from '../codec/jid.ts';
import { attribute, childElements, type Element } from '../codec/stanza/element.ts';
import { itemsOf, notificationIn, unsubscribeRequest } from '../codec/stanza/pubsub.ts';
import type { XmppConfig } from '../config.ts';
import type { Incoming, Link } from '../link/link.ts';
import { withPatience } from '../patience.ts';
import type { Intake } from '../receive/intake.ts';
import type { StanzaLimit } from '../send/stanza-limit.ts';
import { Existence, type NodePlace, nameOf } from './existence.ts';
import { itemEvent, markOfEvent, originOfNotification } from './item-event.ts';
import { KnownItems } from './known-items.ts';
import { Node } from './node.ts';
import { Publisher } from './publisher.ts';

/** What the nodes of a connection work with. */
export interface NodesOptions {
  readonly config: Pick<XmppConfig, 'createNodes'>;
  readonly context: AdapterContext;
  /** Our bare JID. */
  readonly account: string;
  readonly intake: Intake;
  readonly gaps: Gaps;
  readonly limit: StanzaLimit;
  /** The link while it is up. */
  link(): Link | undefined;
}

/** Nodes read at the same time. */
const LANES = 4;

/** The nodes of publish-subscribe services (XEP-0060) that a connection receives from and publishes to. One per connection. */
export class Nodes {
  readonly #options: NodesOptions;
  readonly #existence: Existence;
  readonly #known: KnownItems;
  readonly #publisher: Publisher;
  readonly #nodes = new Map<string, Node>();
  readonly #inLane = lanes(LANES);

  constructor(options: NodesOptions) {
    this.#options = options;
    this.#existence = new Existence(options.config.createNodes);
    this.#known = new KnownItems(options.context);
    this.#publisher = new Publisher({ existence: this.#existence, limit: options.limit, link: options.link });
  }

  /** Takes up what a former process knew. Called at every connect. */
  load(): Promise<void> {
    return this.#known.load();
  }

  /** A new session begins. */
  begin(): void {
    this.#existence.clear();
    for (const node of this.#nodes.values()) node.begin();
  }

  /** The link is gone. */
  lost(): void {
    for (const node of this.#nodes.values()) node.disconnected();
  }

  /**
   * Subscribes to the nodes of sources and ends other subscriptions of ours. Resolves when each is subscribed or refused, or has not
   * answered for a while. Rejects with `NotConnected` only when the link is lost meanwhile.
   */
  async want(patterns: readonly AddressPattern[]): Promise<void> {
    const { link, context } = this.#options;
    const wanted = new Map(patterns.flatMap(literalNode).map((place) => [nameOf(place), place]));
    this.#leave(new Set(wanted.keys()));
    const before = link();
    const kept = [...wanted.values()].map((place) => this.#inLane(() => this.#node(place).keep()));
    await withPatience(Promise.all(kept), context.clock);
    if (link() !== before) throw new NotConnected('the link was lost while nodes were being subscribed to');
  }

  /** Takes what a service tells of a node that we are subscribed to; false for any other message. */
  take(incoming: Incoming): boolean {
    const { stanza, finish, leave } = incoming;
    const notification = attribute(stanza, 'type') === 'error' ? undefined : notificationIn(stanza);
    if (!notification) return false;
    const [about] = childElements(notification);
    const service = normalJid(attribute(stanza, 'from') ?? '');
    const node = this.#nodes.get(nameOf({ service, node: (about && attribute(about, 'node')) ?? '' }));
    // From anybody else it is what a message of theirs is otherwise.
    if (!about || !node) return false;
    if (about.name !== 'items') {
      this.#told(node, about);
      finish();
    } else if (leave) leave();
    else this.#items(incoming, node, about);
    return true;
  }

  /** Asks every service whether we are still subscribed. Rejects only when the link is broken. */
  async ping(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.ping(signal)));
  }

  /** Publishes an item, see `Publisher`. */
  publish(place: NodePlace, event: OutgoingEvent, id: string | undefined, signal: AbortSignal): Promise<SendReceipt> {
    return this.#publisher.publish(place, event, { id, isHeard: this.#nodes.has(nameOf(place)) }, signal);
  }

  /** What is retracted or purged is no event. */
  #told(node: Node, about: Element): void {
    if (about.name === 'delete') node.lost('the node was deleted');
    if (about.name !== 'subscription') return;
    const state = attribute(about, 'subscription');
    if (state === 'none') node.lost('the service has ended our subscription');
    else if (state === 'subscribed') node.lost('the subscription was approved');
  }

  #items(incoming: Incoming, node: Node, about: Element): void {
    const { place } = node;
    const how = originOfNotification(incoming.stanza);
    const items = itemsOf(about);
    let left = items.length;
    const finish = (): void => {
      left -= 1;
      if (left === 0) incoming.finish();
    };
    if (left === 0) incoming.finish();
    for (const item of items) {
      const made = itemEvent(place, item, how);
      const event = incoming.repeated ? { ...made, redelivered: true } : made;
      const mark = markOfEvent(event);
      if (!how.replay && this.#publisher.isEcho(place, mark)) {
        this.#known.add(place, [mark]);
        finish();
      } else node.take({ ...incoming, finish }, event);
    }
  }

  #node(place: NodePlace): Node {
    const name = nameOf(place);
    const known = this.#nodes.get(name);
    if (known) return known;
    const { context, account, intake, link, gaps } = this.#options;
    const node = new Node({
      ...{ place, account, context, intake, link, existence: this.#existence, known: this.#known },
      detail: (...told) => context.detail(`node ${name}`, ...told),
      tellGap: (why, stored) => {
        context.logger.warn({ place: name, reason: why }, 'items may be missing');
        gaps.ofNode(place, why, stored);
      },
    });
    this.#nodes.set(name, node);
    return node;
  }

  /** A subscription outlives the process, so one of a former configuration is ended as well. */
  #leave(wanted: ReadonlySet<string>): void {
    const { link, account } = this.#options;
    const unwanted = new Set(this.#known.keepOnly(wanted));
    for (const [name, node] of this.#nodes) {
      if (wanted.has(name)) continue;
      this.#nodes.delete(name);
      unwanted.delete(name);
      node.leave();
    }
    for (const name of unwanted) {
      const [service = '', node = ''] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)];
      link()
        ?.request('set', unsubscribeRequest(node, account), service)
        .catch(() => undefined);
    }
  }
}

/** The node of a source pattern, which has no captures. */
function literalNode({ scheme, segments }: AddressPattern): NodePlace[] {
  const [service = '', node = ''] = segments.flatMap((segment) => (segment.type === 'literal' ? [segment.value] : []));
  return scheme === 'node' ? [{ service, node }] : [];
}

import { untilAborted } from '@magpie/adapter-kit';
import { NotConnected, type OutgoingEvent, type SendReceipt, TooLarge, toMagpieError, Unknown } from '@magpie/contract';
import { wireOf } from '../codec/encode.ts';
import { encodeItem } from '../codec/item.ts';
import { attribute } from '../codec/stanza/element.ts';
import { publishRequest } from '../codec/stanza/pubsub.ts';
import { nodeError } from '../errors.ts';
import type { Link } from '../link/link.ts';
import type { StanzaLimit } from '../send/stanza-limit.ts';
import { type Existence, type NodePlace, nameOf } from './existence.ts';
import { type ItemMark, markOfItem } from './known-items.ts';

/** What publishing works with. */
export interface PublisherOptions {
  readonly existence: Existence;
  readonly limit: StanzaLimit;
  /** The link while it is up. */
  link(): Link | undefined;
}

/** Most items of ours whose echo is waited for. */
const MOST_OWN = 10_000;
/** What an iq has around what it carries, with its addresses and id, bytes. */
const AROUND = 4_096;

/** Publishes items (XEP-0060 §7.1). One per connection. */
export class Publisher {
  readonly #options: PublisherOptions;
  /** Items of ours that a node we are subscribed to has not told us of yet. */
  readonly #own = new Map<string, number>();

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /**
   * Publishes one item and waits for the service to say that it has it. A resend has the same id, so the item stays one. Rejects with a
   * taxonomy error.
   * @param id of the item; default the delivery's.
   * @param isHeard whether we are subscribed to the node ourselves.
   */
  async publish(
    place: NodePlace,
    event: OutgoingEvent,
    { id = event.delivery, isHeard }: { readonly id?: string | undefined; readonly isHeard: boolean },
    signal: AbortSignal,
  ): Promise<SendReceipt> {
    const { existence, limit, link: current } = this.#options;
    const link = current();
    if (!link) throw new NotConnected('the link is down');
    const request = publishRequest(place.node, id, encodeItem(event));
    const bytes = wireOf(request, id).bytes + AROUND;
    if (bytes > limit.largest) throw limit.refusal(bytes, '');
    await this.#answered(place, link, untilAborted(existence.expect(link, place), signal, 'cancelled'));
    const own = key(place, markOfItem(id, event.body));
    if (isHeard) this.#expect(own);
    try {
      const failed = Promise.withResolvers<never>();
      const asked = link.request('set', request, place.service, signal, (iq) => {
        const stanza = wireOf(iq, attribute(iq, 'id') ?? '');
        link.deliver(stanza, (error) => {
          if (error instanceof TooLarge) limit.refused(stanza.bytes);
          if (error) failed.reject(error);
        });
      });
      const answer = await this.#answered(place, link, Promise.race([asked, failed.promise]));
      if (attribute(answer, 'type') !== 'error') return { confirmedBy: 'server-answer' };
      existence.forget(place);
      throw nodeError(answer);
    } catch (error) {
      // What is unknown may have been published.
      if (!(error instanceof Unknown)) this.isEcho(place, markOfItem(id, event.body));
      throw error;
    }
  }

  /** Whether an item is one of ours that comes back; then it is so once. */
  isEcho(place: NodePlace, mark: ItemMark): boolean {
    const own = key(place, mark);
    const count = this.#own.get(own);
    if (count === undefined) return false;
    if (count > 1) this.#own.set(own, count - 1);
    else this.#own.delete(own);
    return true;
  }

  #expect(own: string): void {
    this.#own.set(own, (this.#own.get(own) ?? 0) + 1);
    for (const oldest of this.#own.keys()) {
      if (this.#own.size <= MOST_OWN) break;
      this.#own.delete(oldest);
    }
  }

  /** A service that does not answer while the link works is a place of its own. */
  async #answered<T>({ service }: NodePlace, link: Link, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      const isSilent = error instanceof NotConnected && error.concerns === 'link' && this.#options.link() === link;
      throw isSilent
        ? new Unknown(`${service} does not answer: ${error.message}`).concerning('place')
        : toMagpieError(error);
    }
  }
}

const key = (place: NodePlace, { id, content }: ItemMark): string => `${id} ${content} ${nameOf(place)}`;

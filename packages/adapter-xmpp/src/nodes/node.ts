import {
  type AdapterContext,
  createRetry,
  errorMessage,
  NotConnected,
  type ReceivedEvent,
  type Retry,
} from '@magpie/contract';
import { HeldMessages } from '../archive/held-messages.ts';
import { attribute } from '../codec/stanza/element.ts';
import type { Item } from '../codec/stanza/pubsub.ts';
import { subscribeRequest, subscriptionIn, subscriptionsQuery, unsubscribeRequest } from '../codec/stanza/pubsub.ts';
import { nodeError } from '../errors.ts';
import type { Incoming, Link } from '../link/link.ts';
import type { Intake } from '../receive/intake.ts';
import { stateOf } from '../rooms/state-texts.ts';
import type { Existence, NodePlace } from './existence.ts';
import { itemEvent, markOfEvent } from './item-event.ts';
import { type KnownItems, markOfItem } from './known-items.ts';
import { itemsById, newestIds } from './missed-items.ts';

/** What a node works with. */
export interface NodeOptions {
  readonly place: NodePlace;
  /** Our bare JID, which is subscribed. */
  readonly account: string;
  readonly context: Pick<AdapterContext, 'clock'>;
  readonly existence: Existence;
  readonly known: KnownItems;
  readonly intake: Pick<Intake, 'take' | 'flush' | 'load'>;
  /** The link while it is up. */
  link(): Link | undefined;
  detail(state: string | undefined, trouble?: 'trouble'): void;
  /** Tells that items may be missing; `stored` is called once that is durable. */
  tellGap(why: string, stored: () => void): void;
}

/** Pauses before it is tried again, ms, as with rooms. */
const RETRY = { min: 1_000, max: 60_000 } as const;
/** Share of the receive budget that must be free before more is read, and the pause before looking again, ms. */
const ROOM = 0.5;
const ROOM_MS = 20;

const NONE_KNOWN = 'the service has none of the items that we know: what was published meanwhile may be missing';
const PENDING = 'waits for the approval of its owner';

/** A node that we are subscribed to, or want to be (XEP-0060 §6). No I/O before `keep`. */
export class Node {
  readonly #options: NodeOptions;
  readonly #retry: Retry;
  #held = new HeldMessages();
  /** Whether items may have been missed, and those that come wait. */
  #due = true;
  #entering: Promise<void> | undefined;
  #left = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.#retry = createRetry(options.context.clock, RETRY);
  }

  get place(): NodePlace {
    return this.#options.place;
  }

  /** A new session begins, before which items may have been missed. */
  begin(): void {
    this.#due = true;
    this.#held = new HeldMessages();
    this.#retry.cancel();
    this.#retry.reset();
  }

  /** The link is gone: what waits comes again, or is read. */
  disconnected(): void {
    this.#held = new HeldMessages();
    this.#retry.cancel();
  }

  /** Subscribes and reads what was missed, if that is due, and tries again after growing pauses. Resolves after the first attempt. */
  async keep(): Promise<void> {
    if (!this.#due) return;
    const link = this.#options.link();
    if (!link) return;
    this.#entering ??= this.#enter(link).finally(() => {
      this.#entering = undefined;
    });
    await this.#entering;
  }

  /** The service says that we are not subscribed any more, or a question has shown it. */
  lost(reason: string): void {
    if (this.#left) return;
    this.#options.existence.forget(this.place);
    this.#due = true;
    this.#options.detail(`${reason}; subscribing again`, 'trouble');
    this.#retry.schedule(() => void this.keep());
  }

  /** Asks whether we are still subscribed. Rejects only when the link is broken. */
  async ping(signal: AbortSignal): Promise<void> {
    const { link: current } = this.#options;
    const link = current();
    if (!link || this.#due) return;
    try {
      const state = await this.#subscription(link, signal);
      if (state === 'none' && current() === link) this.lost('the service has lost our subscription');
    } catch (error) {
      // A service that does not answer is not the link.
      if (signal.aborted || current() !== link) throw error;
    }
  }

  /** Takes an item that the service has told of. */
  take(incoming: Incoming, event: ReceivedEvent): void {
    if (!this.#due || !this.#held.take({ incoming, event })) this.#pass(incoming, event);
  }

  /** Is not subscribed any more, on purpose. */
  leave(): void {
    this.#left = true;
    this.#retry.stop();
    this.#options.detail(undefined);
    const { link, place, account } = this.#options;
    const request = link()?.request('set', unsubscribeRequest(place.node, account), place.service);
    request?.catch(() => undefined);
  }

  async #enter(link: Link): Promise<void> {
    const { existence, place, link: current, detail } = this.#options;
    const isOver = (): boolean => this.#left || current() !== link;
    try {
      await existence.expect(link, place);
      const state = await this.#subscribe(link);
      await this.#catchUp(link, isOver);
      if (isOver()) return;
      this.#release();
      this.#retry.reset();
      if (state === 'subscribed') detail('subscribed');
      else detail(state === 'pending' ? PENDING : `the subscription is "${state}"`, 'trouble');
    } catch (error) {
      if (isOver()) return;
      // Before it is subscribed nothing comes; what the service has told of a former subscription goes on.
      for (const { incoming, event } of this.#held.release()) this.#pass(incoming, event);
      detail(stateOf(error), 'trouble');
      this.#retry.schedule(() => void this.keep());
    }
  }

  /** The state of our subscription: `none` when there is none, undefined when the service does not say. */
  async #subscription(link: Link, signal?: AbortSignal): Promise<string | undefined> {
    const { place, account } = this.#options;
    const answer = await link.request('get', subscriptionsQuery(place.node), place.service, signal);
    if (attribute(answer, 'type') === 'error') return undefined;
    return subscriptionIn(answer, account) ?? 'none';
  }

  /** A second subscription would bring everything twice on some services. */
  async #subscribe(link: Link): Promise<string> {
    const { place, account } = this.#options;
    const state = await this.#subscription(link);
    if (state === 'subscribed' || state === 'pending') return state;
    const answer = await link.request('set', subscribeRequest(place.node, account), place.service);
    if (attribute(answer, 'type') === 'error') throw nodeError(answer);
    return subscriptionIn(answer, account) ?? 'subscribed';
  }

  /** Reads what was published meanwhile. The first time of all nothing was missed. */
  async #catchUp(link: Link, isOver: () => boolean): Promise<void> {
    const { known, place, tellGap } = this.#options;
    const isFirst = !known.has(place);
    try {
      const ids = await newestIds(link, place);
      if (known.isOutOfSight(place, ids)) tellGap(NONE_KNOWN, () => undefined);
      if (isFirst) known.add(place, []);
      for await (const items of itemsById(link, place, ids)) {
        await this.#room(isOver);
        if (isOver()) return;
        for (const item of items) this.#missed(item, isFirst);
        this.#options.intake.flush();
      }
    } catch (error) {
      if (isOver() || error instanceof NotConnected) throw error;
      // A node that keeps no items, or gives them to nobody.
      if (!isFirst) tellGap(`its items cannot be read: ${errorMessage(error)}`, () => undefined);
      else known.add(place, []);
    }
  }

  #missed(item: Item, isFirst: boolean): void {
    const { known, place, intake } = this.#options;
    const event = itemEvent(place, item, { stanzaType: 'normal', replay: true });
    const mark = markOfItem(item.id, event.body);
    const isHeld = (): boolean =>
      this.#held.has((held) => !held.event.origin.replay && markOfEvent(held.event).id === mark.id);
    if (known.knows(place, mark) || isHeld()) return;
    if (isFirst) known.add(place, [mark]);
    else intake.take({ finish: () => known.add(place, [mark]) }, event);
  }

  async #room(isOver: () => boolean): Promise<void> {
    const { intake, context } = this.#options;
    while (intake.load() > ROOM && !isOver())
      await new Promise<void>((resolve) => void context.clock.timeout(ROOM_MS, resolve));
  }

  #release(): void {
    this.#due = false;
    for (const { incoming, event } of this.#held.release()) this.#pass(incoming, event);
    this.#options.intake.flush();
  }

  /** Hands an item over. One that the service sends to a new subscriber is no event if the log has it. */
  #pass(incoming: Incoming, event: ReceivedEvent): void {
    const { known, place, intake } = this.#options;
    const mark = markOfEvent(event);
    if (event.origin.replay === true && known.knows(place, mark)) {
      incoming.finish();
      return;
    }
    const finish = (): void => {
      incoming.finish();
      known.add(place, [mark]);
    };
    intake.take({ finish }, event);
  }
}

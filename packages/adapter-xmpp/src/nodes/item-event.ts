import type { ReceivedEvent } from '@magpie/contract';
import { nodeAddress } from '../codec/addresses.ts';
import { decodeItem } from '../codec/item.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import type { Item } from '../codec/stanza/pubsub.ts';
import type { NodePlace } from './existence.ts';
import { type ItemMark, markOfItem } from './known-items.ts';

/** How an item came. */
export interface ItemOrigin {
  readonly to?: string | undefined;
  readonly stanzaType: string;
  /** When the service got it (XEP-0203), of one that it sends to a new subscriber. */
  readonly delayed?: string | undefined;
  /** Whether it was not published just now. */
  readonly replay: boolean;
}

/** The event of an item. */
export function itemEvent({ service, node }: NodePlace, item: Item, how: ItemOrigin): ReceivedEvent {
  // Who may publish is a setting of the node, and whom an answer goes to is not for them to say.
  const { replyTo: _, ...content } = decodeItem(item.payload);
  const facts = { to: how.to, delayed: how.delayed, publisher: item.publisher };
  const known = Object.entries(facts).filter(([, value]) => value !== undefined);
  const sentAt = how.delayed === undefined ? Number.NaN : Date.parse(how.delayed);
  return {
    id: item.id,
    ...(Number.isNaN(sentAt) ? {} : { time: sentAt }),
    ...content,
    address: nodeAddress(service, node),
    kind: 'message',
    origin: {
      ...Object.fromEntries(known),
      ...{ from: service, stanzaType: how.stanzaType, replay: how.replay, node, item: item.id },
    },
    ...(how.replay ? { redelivered: true } : {}),
  };
}

/** How the items of a notification came. */
export function originOfNotification(message: Element): ItemOrigin {
  const delay = message.getChild('delay', NS.delay);
  const delayed = delay && attribute(delay, 'stamp');
  const stanzaType = attribute(message, 'type') ?? 'normal';
  return { to: attribute(message, 'to'), stanzaType, delayed, replay: delayed !== undefined };
}

/** The mark of an event made of an item. */
export const markOfEvent = ({ origin, body }: ReceivedEvent): ItemMark => markOfItem(String(origin.item), body);

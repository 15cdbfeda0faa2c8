import type { ReceivedParts } from '@magpie/contract';
import { readEventElement } from './event-element.ts';
import { attribute, childText, type Element, xml } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';
import { jsonOf, mainText } from './texts.ts';

/** The media type of what people write. */
export const TEXT_TYPE = 'text/plain; charset=utf-8';
/** The media type of what a JSON container holds. */
export const JSON_TYPE = 'application/json';

/** The class of a message stanza; only `content` becomes a message event, `reaction` one of that kind. */
export type MessageClass = 'content' | 'reaction' | 'receipt' | 'error' | 'subject' | 'nothing';

/** Sorts a message stanza. A chat state, a marker or an empty message is `nothing`; a subject without a body changes a room's subject. */
export function classify(message: Element): MessageClass {
  if (attribute(message, 'type') === 'error') return 'error';
  const hasText = mainText(message, 'body') !== undefined || message.getChild('json', NS.json) !== undefined;
  if (!hasText && message.getChild('reactions', NS.reactions)) return 'reaction';
  if (hasText || message.getChild('event', NS.event)) return 'content';
  if (message.getChild('received', NS.receipts)) return 'receipt';
  return message.getChild('subject') ? 'subject' : 'nothing';
}

/**
 * The content of a message. Total. The body of an ordinary chat message is text, even if it looks like JSON; only a JSON container
 * (XEP-0335) and our own element change that. `sentAt` is the time by a trusted delay.
 */
export function decodeMessage(message: Element, sentAt?: number): ReceivedParts {
  const own = message.getChild('event', NS.event);
  const json = jsonOf(message);
  const body = Buffer.from(json ?? mainText(message, 'body') ?? '');
  const id = originId(message) ?? attribute(message, 'id');
  const subject = mainText(message, 'subject');
  const thread = childText(message, 'thread');
  const plain = {
    ...(id === undefined ? {} : { id }),
    ...(subject === undefined ? {} : { subject }),
    ...(thread === undefined ? {} : { correlationId: thread }),
    ...(sentAt === undefined ? {} : { time: sentAt }),
    body,
  };
  if (!own) return { ...plain, contentType: json === undefined ? TEXT_TYPE : JSON_TYPE, headers: [], via: [] };
  const fields = readEventElement(own);
  const isJson = json !== undefined && fields.body === undefined;
  return { ...plain, ...(isJson ? { contentType: JSON_TYPE } : {}), ...fields };
}

/** XEP-0184: the id of the message whose receipt this is. */
export const receiptOf = (message: Element): string | undefined => {
  const received = message.getChild('received', NS.receipts);
  return received && attribute(received, 'id');
};

/**
 * XEP-0184: the receipt that a message asks for; undefined when it asks for none, and for what many get (§5.5): a room's message, a
 * headline.
 */
export function receiptFor(message: Element): Element | undefined {
  const [id, from, type] = ['id', 'from', 'type'].map((name) => attribute(message, name));
  const isOneToOne = type === undefined || type === 'chat' || type === 'normal';
  if (!isOneToOne || id === undefined || from === undefined || !message.getChild('request', NS.receipts))
    return undefined;
  const received = xml('received', { xmlns: NS.receipts, id });
  return xml('message', { to: from, type: type ?? 'normal' }, received, xml('store', { xmlns: NS.hints }));
}

/** XEP-0359: the id given by the sender's client. */
export const originId = (message: Element): string | undefined => {
  const element = message.getChild('origin-id', NS.stanzaId);
  return element && attribute(element, 'id');
};

/**
 * XEP-0359: the id stamped by this entity. Trust it only if the entity announces the feature. The last one: Prosody 0.12 leaves
 * what a sender has forged in the message, and adds its own behind it.
 */
export function stanzaIdBy(message: Element, by: string): string | undefined {
  const element = message.getChildren('stanza-id', NS.stanzaId).findLast((child) => attribute(child, 'by') === by);
  return element && attribute(element, 'id');
}

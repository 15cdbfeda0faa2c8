import { normalJid } from './jid.ts';
import { attribute, type Element, xml } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';

/** Asks our server for copies of messages to other clients of our account (XEP-0280). */
export const enableCarbons = (): Element => xml('enable', { xmlns: NS.carbons });

/**
 * Whether a message is a copy, made by our own server, of a message to or from another client of our account. A copy
 * from anyone else is a forgery (XEP-0280 §12).
 * @param account our bare JID.
 */
export const isCopy = (message: Element, account: string): boolean =>
  normalJid(attribute(message, 'from') ?? '') === account &&
  (message.getChild('received', NS.carbons) ?? message.getChild('sent', NS.carbons)) !== undefined;

/** The one-to-one message that another client of our account received; undefined for one that such a client sent. */
export function copiedMessage(copy: Element): Element | undefined {
  const forwarded = copy.getChild('received', NS.carbons)?.getChild('forwarded', NS.forward);
  const message = forwarded?.getChild('message');
  return message && attribute(message, 'type') !== 'groupchat' ? message : undefined;
}

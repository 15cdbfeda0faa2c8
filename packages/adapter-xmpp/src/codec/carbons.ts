import { normalJid } from './jid.ts';
import { attribute, type Element, xml } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';

/** Asks our server for copies of what other clients of our account get (XEP-0280). */
export const enableCarbons = (): Element => xml('enable', { xmlns: NS.carbons });

/**
 * Whether a message is a copy that our own server has made, of a message that went to or came from another client of our
 * account. The same from anybody else is a forgery (XEP-0280 §12), and no copy.
 * @param account our bare JID.
 */
export const isCopy = (message: Element, account: string): boolean =>
  normalJid(attribute(message, 'from') ?? '') === account &&
  (message.getChild('received', NS.carbons) ?? message.getChild('sent', NS.carbons)) !== undefined;

/** The one-to-one message that another client of our account has got; undefined for what such a client has sent. */
export function copiedMessage(copy: Element): Element | undefined {
  const forwarded = copy.getChild('received', NS.carbons)?.getChild('forwarded', NS.forward);
  const message = forwarded?.getChild('message');
  return message && attribute(message, 'type') !== 'groupchat' ? message : undefined;
}

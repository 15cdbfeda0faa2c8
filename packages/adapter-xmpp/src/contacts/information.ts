import { attribute, childElements, type Element, xml } from '../codec/stanza/element.ts';
import { errorAnswer, resultAnswer } from '../codec/stanza/iq.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import type { Contact } from './contact-book.ts';

const FEATURES = [NS.discoInfo, NS.discoItems, NS.ping, NS.vcard, NS.receipts];

/**
 * The answer of one of our addresses to a question about it: what it is (XEP-0030) and its card (XEP-0054). Undefined for any
 * other question.
 * @param contact undefined for the address of the domain itself.
 */
export function informationAbout(iq: Element, contact: Contact | undefined): Element | undefined {
  const [child] = childElements(iq);
  if (attribute(iq, 'type') !== 'get' || !child) return undefined;
  if (child.is('query', NS.discoInfo)) {
    // Nobody asks for a node of ours but by what we have announced, and we announce none.
    if (attribute(child, 'node') !== undefined) return errorAnswer(iq, 'cancel', 'item-not-found');
    const identity = contact
      ? { category: 'client', type: 'bot', name: contact.name }
      : { category: 'component', type: 'generic', name: 'Magpie' };
    const features = FEATURES.map((feature) => xml('feature', { var: feature }));
    return resultAnswer(iq, xml('query', { xmlns: NS.discoInfo }, xml('identity', identity), ...features));
  }
  if (child.is('query', NS.discoItems)) return resultAnswer(iq, xml('query', { xmlns: NS.discoItems }));
  if (child.is('vCard', NS.vcard) && contact)
    return resultAnswer(iq, xml('vCard', { xmlns: NS.vcard }, xml('FN', {}, contact.name)));
  return undefined;
}

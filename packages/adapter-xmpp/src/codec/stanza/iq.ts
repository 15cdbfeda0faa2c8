import { bareJid, normalJid, splitJid } from '../jid.ts';
import { attribute, childElements, type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';

/**
 * The answer to an iq of type get or set (RFC 6120 §8.2.3): a ping is answered (XEP-0199), every other request gets an
 * error. Undefined for a result or an error, which is never answered.
 */
export function answerTo(iq: Element): Element | undefined {
  const type = attribute(iq, 'type');
  if (type === 'result' || type === 'error') return undefined;
  const [child, ...others] = childElements(iq);
  const answer = xml('iq', { ...addressed(iq), type: 'error' });
  const valid = child !== undefined && others.length === 0 && (type === 'get' || type === 'set');
  if (!valid) answer.append(errorElement('modify', 'bad-request'));
  else if (type === 'get' && child.is('ping', NS.ping)) answer.attrs.type = 'result';
  else answer.append(errorElement('cancel', 'service-unavailable'));
  return answer;
}

/** The result of an iq, with what was asked for. */
export const resultAnswer = (iq: Element, child: Element): Element =>
  xml('iq', { ...addressed(iq), type: 'result' }, child);

/** The refusal of an iq. @param detail what a specification adds to the condition. */
export function errorAnswer(iq: Element, type: string, condition: string, detail?: Element): Element {
  const error = errorElement(type, condition);
  if (detail) error.append(detail);
  return xml('iq', { ...addressed(iq), type: 'error' }, error);
}

/** The error that tells the sender of a message to one of our addresses that it was not taken (RFC 6120 §8.3). */
export const errorMessageTo = (message: Element, type: string, condition: string): Element =>
  xml(
    'message',
    { ...addressed(message), from: attribute(message, 'to') ?? '', type: 'error' },
    errorElement(type, condition),
  );

function addressed(iq: Element): Record<string, string> {
  const [id, to] = [attribute(iq, 'id'), attribute(iq, 'from')];
  return { ...(id === undefined ? {} : { id }), ...(to === undefined ? {} : { to }) };
}

const errorElement = (type: string, condition: string): Element =>
  xml('error', { type }, xml(condition, { xmlns: NS.stanzaErrors }));

/**
 * Whether an answer comes from the addressee of the request (RFC 6120 §8.1.2). The server and our own account may
 * answer with any of their addresses, or without one.
 * @param own our full JID.
 */
export function isFrom(answer: Element, to: string | undefined, own: string): boolean {
  const from = attribute(answer, 'from');
  const ours: readonly (string | undefined)[] = [undefined, splitJid(own).domain, bareJid(own), normalJid(own)];
  const sender = from === undefined ? undefined : normalJid(from);
  const asked = to === undefined ? undefined : normalJid(to);
  return ours.includes(asked) ? ours.includes(sender) : sender === asked;
}

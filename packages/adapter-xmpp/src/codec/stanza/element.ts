import xml, { type Element as XmlElement } from '@xmpp/xml';

/** An XML element; built by `xml()` only, never from text. */
export type Element = XmlElement;
export { xml };

/** An attribute as text, or undefined. */
export function attribute(element: Element, name: string): string | undefined {
  const value: unknown = element.attrs[name];
  return typeof value === 'string' ? value : undefined;
}

/** The text of a child, or undefined when there is none. */
export const childText = (element: Element, name: string, namespace?: string): string | undefined =>
  element.getChild(name, namespace)?.getText();

/** Child elements without text nodes. */
export const childElements = (element: Element): Element[] =>
  element.children.filter((child): child is Element => typeof child === 'object');

const STANZAS = new Set(['message', 'presence', 'iq']);

/** Whether an element is a message, presence or iq of a stream whose content has this namespace. */
export const isStanza = (element: Element, namespace: string): boolean =>
  STANZAS.has(element.getName()) && (element.getNS() ?? namespace) === namespace;

/** Whether an iq answers one of ours: a result or an error. */
export const isAnswer = (iq: Element): boolean => /^(result|error)$/.test(attribute(iq, 'type') ?? '');

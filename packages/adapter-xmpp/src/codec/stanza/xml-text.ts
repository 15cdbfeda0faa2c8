import { decodeUtf8 } from '@magpie/contract';
import { attribute, type Element, xml } from './element.ts';

/** Characters that XML 1.0 forbids, or that a parser may change on the way: a carriage return becomes a line feed (§2.11). */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/;
const EVERY_UNSAFE = new RegExp(UNSAFE, 'g');

/** Whether a text passes any XML parser unchanged, as the content of an element. */
export const isSafeText = (text: string): boolean => text.isWellFormed() && !UNSAFE.test(text);

/** A readable text: characters forbidden in XML are replaced, line ends normalized. */
export const readableText = (text: string): string =>
  text.toWellFormed().replace(/\r\n?/g, '\n').replace(EVERY_UNSAFE, '\ufffd');

/** An element with this exact text; base64 with a marker when XML cannot carry it. */
export function textElement(name: string, text: string, attributes: Readonly<Record<string, string>> = {}): Element {
  if (isSafeText(text)) return xml(name, attributes, text);
  return bytesElement(name, Buffer.from(text.toWellFormed()), attributes);
}

/** An element with these exact bytes as base64. */
export const bytesElement = (
  name: string,
  bytes: Uint8Array,
  attributes: Readonly<Record<string, string>> = {},
): Element => xml(name, { ...attributes, encoding: 'base64' }, Buffer.from(bytes).toString('base64'));

/** The bytes of an element made by `textElement` or `bytesElement`. */
export const elementBytes = (element: Element): Uint8Array =>
  attribute(element, 'encoding') === 'base64'
    ? Buffer.from(element.getText(), 'base64')
    : Buffer.from(element.getText());

/** The text of such an element; undefined when its bytes are not UTF-8. */
export const elementText = (element: Element): string | undefined => decodeUtf8(elementBytes(element));

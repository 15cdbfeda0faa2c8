import { isJsonType, type OutgoingEvent, type ReceivedParts } from '@magpie/contract';
import { JSON_TYPE, TEXT_TYPE } from './decode.ts';
import { isReadable } from './encode.ts';
import { eventElement, readEventElement } from './event-element.ts';
import { childElements, type Element, xml } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';

const XML_TYPE = 'application/xml';

/**
 * The payload of an item (XEP-0060), which is one element: ours, with the content inside as JSON (XEP-0335), as text, or as base64
 * where XML cannot carry the bytes.
 */
export function encodeItem(event: OutgoingEvent): Element {
  if (!isReadable(event)) return eventElement(event, event.body);
  const payload = eventElement(event, undefined);
  const text = Buffer.from(event.body).toString();
  payload.append(isJsonType(event.contentType) ? xml('json', { xmlns: NS.json }, text) : xml('body', {}, text));
  return payload;
}

/**
 * The content of an item of anybody. Total. A JSON container is JSON, an element with nothing but text in it that text, any other
 * the XML itself; a service that tells without the payload has none.
 */
export function decodeItem(payload: Element | undefined): ReceivedParts {
  const parts = { headers: [], via: [] };
  if (!payload) return { ...parts, body: new Uint8Array() };
  if (payload.is('event', NS.event)) return own(payload);
  const text = Buffer.from(payload.getText());
  if (payload.is('json', NS.json)) return { ...parts, body: text, contentType: JSON_TYPE };
  if (childElements(payload).length === 0) return { ...parts, body: text, contentType: TEXT_TYPE };
  return { ...parts, body: Buffer.from(payload.toString()), contentType: XML_TYPE };
}

function own(payload: Element): ReceivedParts {
  const json = payload.getChild('json', NS.json);
  const text = (json ?? payload.getChild('body'))?.getText() ?? '';
  return { body: Buffer.from(text), ...(json ? { contentType: JSON_TYPE } : {}), ...readEventElement(payload) };
}

import { traceOf, viaOf } from '@magpie/adapter-kit';
import { addressToText, type MessageParts, textToAddress } from '@magpie/contract';
import { headerElement, headersOf } from './header-values.ts';
import { attribute, type Element, xml } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';
import { bytesElement, elementBytes, elementText, textElement } from './stanza/xml-text.ts';

/** Text fields of an event and their elements inside `<event xmlns="urn:magpie:event:1">`. */
const TEXTS = {
  id: 'id',
  type: 'type',
  subject: 'subject',
  contentType: 'content-type',
  contentEncoding: 'content-encoding',
  correlationId: 'correlation-id',
} as const;

type TextField = keyof typeof TEXTS;

/**
 * The fields of a message that plain XMPP does not have. `payload` is present when the `<body>` is not the exact
 * content.
 */
export function eventElement(parts: MessageParts, payload: Uint8Array | undefined): Element {
  const { time, expiresAt, priority, retain, replyTo, trace } = parts;
  const numbers = { time, 'expires-at': expiresAt, priority, retain };
  const attributes = Object.entries(numbers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const event = xml('event', { xmlns: NS.event, ...Object.fromEntries(attributes) });
  const text = (name: string, value: string | undefined): void => {
    if (value !== undefined) event.append(textElement(name, value));
  };
  for (const [field, name] of Object.entries(TEXTS)) text(name, parts[isTextField(field) ? field : 'id']);
  if (payload) event.append(bytesElement('payload', payload));
  if (replyTo) text('reply-to', addressToText(replyTo));
  for (const header of parts.headers) event.append(headerElement(header));
  for (const gateway of parts.via) text('via', gateway);
  text('traceparent', trace?.traceparent);
  text('tracestate', trace?.tracestate);
  return event;
}

const isTextField = (name: string): name is TextField => Object.hasOwn(TEXTS, name);

/**
 * The fields written by `eventElement`. Total: malformed fields are left out. It is data from the sender and proves
 * nothing.
 */
export interface EventFields extends Partial<MessageParts> {
  readonly via: readonly string[];
  readonly headers: MessageParts['headers'];
}

/** The fields of our element. Total: malformed or missing fields are left out. */
export function readEventElement(event: Element): EventFields {
  const texts = Object.entries(TEXTS).map(([field, name]) => [field, textOf(event, name)] as const);
  const payload = event.getChild('payload');
  const fields = {
    ...Object.fromEntries(texts),
    body: payload && elementBytes(payload),
    replyTo: textToAddress(textOf(event, 'reply-to')),
    time: numberOf(event, 'time'),
    expiresAt: numberOf(event, 'expires-at'),
    priority: priorityOf(event),
    retain: attribute(event, 'retain') === undefined ? undefined : attribute(event, 'retain') === 'true',
    trace: traceOf(textOf(event, 'traceparent'), textOf(event, 'tracestate')),
  };
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return { ...known, headers: headersOf(event), via: viaOf(event.getChildren('via').map(elementText)) };
}

const textOf = (event: Element, name: string): string | undefined => {
  const child = event.getChild(name);
  return child && elementText(child);
};

function numberOf(event: Element, name: string): number | undefined {
  const text = attribute(event, name);
  const value = Number(text);
  return text !== undefined && /^\d{1,15}$/.test(text) ? value : undefined;
}

function priorityOf(event: Element): number | undefined {
  const value = numberOf(event, 'priority');
  return value !== undefined && value <= 9 ? value : undefined;
}

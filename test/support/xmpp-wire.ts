import { xml } from '@xmpp/client';
import { type Header, type Message, message, parsePlace, placeText, type Value } from './message.ts';

/** Namespace of the element that carries what plain XMPP has no place for. */
const EVENT = 'urn:magpie:event:1';
const STANZA_ID = 'urn:xmpp:sid:0';
/** What XML 1.0 cannot carry, or changes on the way. */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/;

/** An XML element, as the client library makes them. */
export type Element = ReturnType<typeof xml>;

type Attributes = Record<string, string>;

const bytes = (name: string, content: Buffer, attributes: Attributes = {}): Element =>
  xml(name, { ...attributes, encoding: 'base64' }, content.toString('base64'));

const text = (name: string, content: string, attributes: Attributes = {}): Element =>
  UNSAFE.test(content) ? bytes(name, Buffer.from(content), attributes) : xml(name, attributes, content);

/** What a person's client sends: text, with a thread and a subject as plain XMPP has them. */
export function humanStanza(to: string, type: 'chat' | 'groupchat', sent: Message): Element {
  const stanza = xml('message', { to, type, id: sent.id }, xml('body', {}, sent.body.toString()));
  if (sent.correlationId !== undefined) stanza.append(xml('thread', {}, sent.correlationId));
  if (sent.subject !== undefined) stanza.append(xml('subject', {}, sent.subject));
  return stanza;
}

/** What a program sends that knows the gateway's own element. */
export function machineStanza(to: string, type: 'chat' | 'groupchat', sent: Message): Element {
  const stanza = xml('message', { to, type, id: sent.id }, xml('body', {}, '[for programs]'));
  stanza.append(xml('origin-id', { xmlns: STANZA_ID, id: sent.id }));
  stanza.append(eventElement(sent));
  return stanza;
}

function eventElement(sent: Message): Element {
  const { time, expiresAt, priority, retain, replyTo, trace, headers = [], via = [] } = sent;
  const numbers = { time, 'expires-at': expiresAt, priority, retain };
  const attributes = Object.entries(numbers).filter(([, value]) => value !== undefined);
  const event = xml('event', { xmlns: EVENT, ...Object.fromEntries(attributes.map(([n, v]) => [n, String(v)])) });
  const add = (name: string, content: string | undefined): void => {
    if (content !== undefined) event.append(text(name, content));
  };
  add('id', sent.id);
  add('type', sent.type);
  add('subject', sent.subject);
  add('content-type', sent.contentType);
  add('content-encoding', sent.contentEncoding);
  add('correlation-id', sent.correlationId);
  add('traceparent', trace?.traceparent);
  add('tracestate', trace?.tracestate);
  event.append(bytes('payload', sent.body));
  add('reply-to', replyTo && placeText(replyTo));
  for (const header of headers) event.append(headerElement(header));
  for (const gateway of via) add('via', gateway);
  return event;
}

const headerElement = ([name, value]: Header): Element =>
  typeof value === 'string'
    ? text('header', value, { name })
    : text('header', JSON.stringify(value), { name, type: 'json' });

/** The exact content of an element. */
const contentOf = (element: Element): Buffer =>
  Buffer.from(element.getText(), element.attrs.encoding === 'base64' ? 'base64' : 'utf8');

/** What a program reads from a message of the gateway; undefined when it is none. */
export function readStanza(stanza: Element): Message | undefined {
  const event = stanza.getChild('event', EVENT);
  if (!stanza.is('message') || !event) return undefined;
  const one = (name: string): string | undefined => all(name)[0];
  const all = (name: string): string[] => event.getChildren(name).map((child) => contentOf(child).toString());
  const number = (name: string): number | undefined =>
    event.attrs[name] === undefined ? undefined : Number(event.attrs[name]);
  const [payload, replyTo, traceparent, tracestate] = [
    event.getChild('payload'),
    one('reply-to'),
    one('traceparent'),
    one('tracestate'),
  ];
  const correlationId = one('correlation-id');
  if (stanza.getChildText('thread') !== (correlationId ?? null))
    throw new Error('the thread is not the correlation id');
  return message({
    id: one('id'),
    body: payload ? contentOf(payload) : Buffer.from(stanza.getChildText('body') ?? ''),
    type: one('type'),
    subject: one('subject'),
    contentType: one('content-type'),
    contentEncoding: one('content-encoding'),
    correlationId,
    replyTo: replyTo === undefined ? undefined : parsePlace(replyTo),
    priority: number('priority'),
    retain: event.attrs.retain === 'true' || undefined,
    trace: traceparent === undefined ? undefined : { traceparent, ...(tracestate === undefined ? {} : { tracestate }) },
    via: all('via'),
    time: number('time'),
    expiresAt: number('expires-at'),
    headers: event.getChildren('header').map(readHeader),
  });
}

function readHeader(element: Element): Header {
  const { name, type, 'name-encoding': encoding } = element.attrs;
  const content = contentOf(element).toString();
  const plainName = encoding === 'base64' ? Buffer.from(String(name), 'base64').toString() : String(name);
  return [plainName, type === 'json' ? (JSON.parse(content) as Value) : content];
}

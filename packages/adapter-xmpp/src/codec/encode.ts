import { decodeUtf8, type OutgoingEvent, parseJsonBody } from '@magpie/contract';
import { TEXT_TYPE } from './decode.ts';
import { eventElement } from './event-element.ts';
import { type Refers, referringElements } from './refers.ts';
import { fileElements, type SharedFile } from './shared-file.ts';
import { type Element, xml } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';
import { isSafeText, readableText } from './stanza/xml-text.ts';

/** A stanza as it goes on the wire. */
export interface WireStanza {
  readonly id: string;
  readonly text: string;
  /** Size of the text in UTF-8. */
  readonly bytes: number;
}

/** Where a message goes on the wire. */
export interface Destination {
  readonly to: string;
  readonly type: 'chat' | 'groupchat';
  /** Which of our addresses it comes from, where that is not plain: a component has many. */
  readonly from?: string;
  /** The message that this one is about. */
  readonly refers?: Refers | undefined;
  /** Whether JSON goes in a container, for programs, instead of as a text that people see. */
  readonly jsonContainer?: boolean | undefined;
}

/**
 * A message stanza: a `<body>` that people can read, and an own element with everything else. Built by elements only, so
 * no content can become markup. Stanza id and origin-id (XEP-0359) name the delivery, the same on every resend and unlike any
 * other; the sender's own id, which may repeat, is in our element. With a file the body is its URL and nothing else, which is how
 * clients know that they may show it (XEP-0066).
 */
export function encodeMessage(
  event: OutgoingEvent,
  { to, type, from, refers, jsonContainer }: Destination,
  file?: SharedFile,
): Element {
  const { body, exact } = file ? { body: file.url, exact: true } : readableBody(event);
  const { correlationId, subject, delivery: id } = event;
  const message = xml('message', { ...(from === undefined ? {} : { from }), to, type, id });
  // A reaction without a text is what clients show as one.
  if (jsonContainer && !file && exact && isJson(event)) message.append(xml('json', { xmlns: NS.json }, body));
  else if (refers?.reaction === undefined) message.append(xml('body', {}, body));
  if (refers) message.append(...referringElements(refers, exact ? body : ''));
  // In a room a subject would change the room's own (XEP-0045 §8.1), so it is carried in our element alone.
  if (subject !== undefined && type === 'chat') message.append(xml('subject', {}, readableText(subject)));
  if (correlationId !== undefined) message.append(xml('thread', {}, readableText(correlationId)));
  message.append(
    xml('origin-id', { xmlns: NS.stanzaId, id }),
    xml('store', { xmlns: NS.hints }),
    eventElement(file ? linked(event) : event, exact ? undefined : event.body),
    ...(file ? fileElements(file) : []),
  );
  return message;
}

/** A message as it goes on the wire, see `encodeMessage`. */
export function wireMessage(event: OutgoingEvent, destination: Destination, file?: SharedFile): WireStanza {
  return wireOf(encodeMessage(event, destination, file), event.delivery);
}

/** A stanza as it goes on the wire. @param id by which its confirmation is known. */
export function wireOf(stanza: Element, id: string): WireStanza {
  const text = stanza.toString();
  return { id, text, bytes: Buffer.byteLength(text) };
}

/** The fields beside a link: its text is what the message says, the type of the file is a fact about the file. */
function linked({ contentEncoding: _, ...event }: OutgoingEvent): OutgoingEvent {
  return { ...event, contentType: TEXT_TYPE };
}

/** Whether a body is JSON, and not only called so. */
const isJson = ({ body, contentType }: Pick<OutgoingEvent, 'body' | 'contentType'>): boolean =>
  parseJsonBody(body, contentType) !== undefined;

/** Whether a text, as the body of a message, is these exact bytes. */
export const isReadable = (event: Pick<OutgoingEvent, 'body' | 'contentType'>): boolean => readableBody(event).exact;

/** The readable body, and whether it is the exact content. */
function readableBody({ body, contentType }: Pick<OutgoingEvent, 'body' | 'contentType'>): {
  body: string;
  exact: boolean;
} {
  const text = decodeUtf8(body);
  if (text === undefined || text === '' || text.includes('\0')) {
    return {
      body: `[${body.length} bytes of ${readableText(contentType ?? 'application/octet-stream')}]`,
      exact: false,
    };
  }
  return { body: readableText(text), exact: isSafeText(text) };
}

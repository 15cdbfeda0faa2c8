import assert from 'node:assert/strict';
import type { MessageParts } from '@magpie/contract';
import { parse } from 'ltx';
import { decodeMessage } from '../../../../packages/adapter-xmpp/src/decode.ts';
import { encodeMessage } from '../../../../packages/adapter-xmpp/src/encode.ts';
import type { Element } from '../../../../packages/adapter-xmpp/src/library.ts';
import { type Case, type Subject, simple } from '../case.ts';
import { jsonBody, NOW, outgoingEvent } from '../samples.ts';

const ROOM = { to: 'ops@conference.example.org', type: 'groupchat' } as const;

const event = () => outgoingEvent(jsonBody(256));
const textOf = (): string => encodeMessage(event(), ROOM).toString();

function checkParts(parts: MessageParts): void {
  const { id, type, contentType, headers, via, trace, time, body } = event();
  assert.deepEqual(parts, { id, type, contentType, headers, via, trace, time, body });
}

const parsed = (text: string): Element => {
  const element: Element = parse(text);
  return element;
};

const decoding = (): Subject<MessageParts> => {
  const message = parsed(textOf());
  return { run: () => decodeMessage(message, NOW + 1, undefined), check: checkParts };
};

const decodingText = (): Subject<MessageParts> => {
  const text = textOf();
  return { run: () => decodeMessage(parsed(text), NOW + 1, undefined), check: checkParts };
};

const encoding = (): Subject<Element> => {
  const sent = event();
  return {
    run: () => encodeMessage(sent, ROOM),
    check: (message) => checkParts(decodeMessage(message, NOW + 1, undefined)),
  };
};

const encodingText = (): Subject<string> => {
  const sent = event();
  return {
    run: () => encodeMessage(sent, ROOM).toString(),
    check: (text) => checkParts(decodeMessage(parsed(text), NOW + 1, undefined)),
  };
};

/** Between stanzas and events, without and with the XML. */
export const xmppCodec: readonly Case[] = [
  simple('XMPP: stanza to event', decoding),
  simple('XMPP: event to stanza', encoding),
  simple('XMPP: XML text to event', decodingText),
  simple('XMPP: event to XML text', encodingText),
];

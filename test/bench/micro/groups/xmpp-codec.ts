import assert from 'node:assert/strict';
import type { ReceivedParts } from '@magpie/contract';
import { parse } from 'ltx';
import { decodeMessage } from '../../../../packages/adapter-xmpp/src/codec/decode.ts';
import { encodeMessage } from '../../../../packages/adapter-xmpp/src/codec/encode.ts';
import type { Element } from '../../../../packages/adapter-xmpp/src/codec/stanza/element.ts';
import { type Case, type Subject, simple } from '../case.ts';
import { jsonBody, outgoingEvent } from '../samples.ts';

const ROOM = { to: 'ops@conference.example.org', type: 'groupchat' } as const;

const event = () => outgoingEvent(jsonBody(256));
const textOf = (): string => encodeMessage(event(), ROOM).toString();

function checkParts(parts: ReceivedParts): void {
  const { id, type, contentType, headers, via, trace, time, body } = event();
  assert.deepEqual(parts, { id, type, contentType, headers, via, trace, time, body });
}

const parsed = (text: string): Element => {
  const element: Element = parse(text);
  return element;
};

const decoding = (): Subject<ReceivedParts> => {
  const message = parsed(textOf());
  return { run: () => decodeMessage(message), check: checkParts };
};

const decodingText = (): Subject<ReceivedParts> => {
  const text = textOf();
  return { run: () => decodeMessage(parsed(text)), check: checkParts };
};

const encoding = (): Subject<Element> => {
  const sent = event();
  return {
    run: () => encodeMessage(sent, ROOM),
    check: (message) => checkParts(decodeMessage(message)),
  };
};

const encodingText = (): Subject<string> => {
  const sent = event();
  return {
    run: () => encodeMessage(sent, ROOM).toString(),
    check: (text) => checkParts(decodeMessage(parsed(text))),
  };
};

/** Between stanzas and events, without and with the XML. */
export const xmppCodec: readonly Case[] = [
  simple('XMPP: stanza to event', decoding),
  simple('XMPP: event to stanza', encoding),
  simple('XMPP: XML text to event', decodingText),
  simple('XMPP: event to XML text', encodingText),
];

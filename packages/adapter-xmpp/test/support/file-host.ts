import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { attributeOf, result } from './fake-xmpp.ts';

/** A request that a file host got. */
interface Asked {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** An HTTP server on loopback that takes files; it ends with the test. */
export async function fileHost(answer: (asked: Asked, response: ServerResponse) => void | Promise<void> = created) {
  const asked: Asked[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url: path = '', method = '', headers } = request;
    const one = { path, method, headers, body: await buffer(request) };
    asked.push(one);
    await answer(one, response);
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, port: (server.address() as AddressInfo).port };
}

const created = (_asked: Asked, response: ServerResponse): void => void response.writeHead(201).end();

const INFO = 'http://jabber.org/protocol/disco#info';
const UPLOAD = 'urn:xmpp:http:upload:0';
const form = (type: string, name: string, value: string): string =>
  `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>${type}</value></field><field var='${name}'><value>${value}</value></field></x>`;

/**
 * What a server with an upload service answers to an iq; undefined to what is not about files.
 * @param slot answers a request for a slot with the child of the result, or with a whole stanza.
 */
export function uploadService(iq: string, slot: (request: string) => string, limit = 1_000_000): string | undefined {
  const isTo = (jid: string): boolean => attributeOf(iq, 'to') === jid;
  if (iq.includes('disco#items'))
    return result(
      iq,
      "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='rooms.localhost'/><item jid='upload.localhost'/></query>",
    );
  if (iq.includes(INFO) && isTo('upload.localhost')) {
    const forms = form('urn:xmpp:other', 'max-file-size', '7') + form(UPLOAD, 'max-file-size', String(limit));
    return result(iq, `<query xmlns='${INFO}'><feature var='${UPLOAD}'/>${forms}</query>`);
  }
  return iq.includes(UPLOAD) ? slot(iq) : undefined;
}

/** The result with a slot on a host. */
export function slotOn(port: number, request: string, name: string): string {
  const url = `http://127.0.0.1:${port}/${name}`;
  return result(
    request,
    `<slot xmlns='${UPLOAD}'><put url='${url}'><header name='Authorization'>Bearer t\nX-Evil: 1</header><header name='Host'>evil</header></put><get url='${url}'/></slot>`,
  );
}

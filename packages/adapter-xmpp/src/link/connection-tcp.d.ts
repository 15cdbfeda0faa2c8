/**
 * The parts of xmpp.js' TCP connection that this adapter uses; no types are published. Members with an underscore are
 * not documented: the version is pinned exactly, and `library.test.ts` fails when one of them changes.
 */
declare module '@xmpp/connection-tcp' {
  import type { Socket } from 'node:net';
  import Connection from '@xmpp/connection';
  import type { Element } from '@xmpp/xml';

  export default class ConnectionTCP extends Connection {
    headerElement(): Element;
    socketParameters(service: string): unknown;
    /** The parser has read a complete element below the stream. */
    protected _onElement(element: Element): void;
    /** The socket has brought bytes. */
    protected _onData(data: Buffer): void;
    protected _attachSocket(socket: Socket): void;
    protected _detachSocket(): void;
    protected _attachParser(parser: object): void;
    protected _detachParser(): void;
    /** Emits the status as an event of that name, unless it is the present one. */
    protected _status(status: string): void;
  }
}

import type { Socket } from 'node:net';
import { client, xml } from '@xmpp/client';

/** An XML element of the library; built by `xml()` only, never from text. */
export type Element = ReturnType<typeof xml>;
export { xml };

/** A SASL mechanism as the library's factory makes it: `response` and `challenge` speak binary strings (one char per byte). */
export interface Mechanism {
  readonly name: string;
  readonly clientFirst: boolean;
  response(credentials: unknown): string | Promise<string>;
  challenge(data: string): unknown;
}

/** The library's XML parser; the guard overrides the two element callbacks. */
export interface LibraryParser {
  onStartElement(name: string, attrs: Record<string, string>): void;
  onEndElement(name: string): void;
  write(text: string): void;
}

/** The library's parser as a class to derive from. */
export type ParserClass = new () => LibraryParser;

/** The static part of a transport that `Client.connect` would choose; we dial ourselves and set it by hand. */
interface Transport {
  readonly prototype: { readonly Parser: ParserClass; socketParameters(service: string): unknown };
}

/**
 * The parts of the library's client that the hardening layer uses or replaces. The members with an underscore are not
 * documented, so the version is pinned exactly and `createLibraryClient` checks that each of them exists.
 */
export interface LibraryClient {
  jid: { toString(): string } | null;
  timeout: number;
  status: string;
  socket: Socket | null;
  parser: LibraryParser | null;
  root: Element | null;
  Transport: Transport;
  Parser: ParserClass;
  readonly transports: readonly Transport[];
  readonly saslFactory: { readonly _mechs: { name: string; mech: new () => Mechanism }[] };
  readonly reconnect: { stop(): void };
  readonly iqCallee: { get(ns: string, name: string, handler: () => Element): void };
  on(event: 'error', listener: (error: unknown) => void): void;
  on(event: 'online' | 'disconnect' | 'close', listener: () => void): void;
  open(options: { domain: string; lang?: string }): Promise<unknown>;
  send(element: Element): Promise<void>;
  write(text: string): Promise<void>;
  isSecure(): boolean;
  _attachSocket(socket: Socket): void;
  _detachSocket(): void;
  _detachParser(): void;
  _status(status: string): void;
  _onData(data: Buffer): void;
  _onElement(element: Element): void;
}

const METHODS = [
  'on',
  'open',
  'send',
  'write',
  '_attachSocket',
  '_detachSocket',
  '_detachParser',
  '_status',
  '_onData',
  '_onElement',
];
const OBJECTS = ['transports', 'saslFactory', 'reconnect', 'iqCallee'];

function isLibraryClient(value: object): value is LibraryClient {
  const type = (name: string): string => typeof Reflect.get(value, name);
  return METHODS.every((name) => type(name) === 'function') && OBJECTS.every((name) => type(name) === 'object');
}

/** What a client of the library is made with. */
export interface LibraryOptions {
  readonly domain: string;
  readonly username: string;
  readonly resource: string;
  /** Called with the mechanisms both sides know, best first; calls `authenticate` with the chosen one. */
  readonly login: (
    authenticate: (credentials: object, mechanism: string) => Promise<void>,
    mechanisms: readonly string[],
  ) => Promise<void>;
}

/** A fresh library client with its reconnecting switched off. Throws when the library is not the one this layer was written for. */
export function createLibraryClient({ domain, username, resource, login }: LibraryOptions): LibraryClient {
  // The published types demand a user agent of the credentials callback, which only SASL2 has.
  const options: object = { service: `xmpp://${domain}`, domain, username, resource, credentials: login };
  const made: object = client(options);
  if (!isLibraryClient(made)) {
    throw new Error('@xmpp/client has changed its inner shape: the adapter is written for exactly version 0.14.0');
  }
  made.reconnect.stop();
  return made;
}

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

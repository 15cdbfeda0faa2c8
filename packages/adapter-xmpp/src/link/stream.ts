import type { Socket } from 'node:net';
import { onAbort } from '@magpie/adapter-kit';
import { errorMessage, MagpieError, NotConnected } from '@magpie/contract';
import ConnectionTCP from '@xmpp/connection-tcp';
import type { Element } from '../codec/stanza/element.ts';
import { linkError } from '../errors.ts';
import { guardedParser, StreamGuard, type StreamLimits, StreamViolation } from './stream-guard.ts';

/** Callbacks of a stream. */
export interface StreamEvents {
  /** A message, presence or iq. */
  stanza(element: Element): void;
  /** All complete elements of one read from the socket were handed over. */
  readDone(): void;
  /** The server reads our answers again, see `isBehind`. */
  answersRead?(): void;
  /** Called once when the stream has ended; nothing is called afterwards. */
  failed(error: MagpieError): void;
}

/** Maximum of unsent answers to a server that sends requests without reading, bytes. */
const MOST_UNREAD = 1024 * 1024;

/** Unsent answers above which no further one should be made, bytes. */
const BEHIND = MOST_UNREAD / 4;

/**
 * A stream of XML over TCP to a server (RFC 6120 §4), within limits and with a single end. Derived classes implement
 * the login.
 */
export abstract class XmlStream extends ConnectionTCP {
  readonly #domain: string;
  readonly #limits: StreamLimits;
  readonly #events: StreamEvents;
  #guard: StreamGuard;
  #socket: Socket | undefined;
  #unread = 0;
  #ended = false;

  /** @param namespace namespace of the stanzas, which defines the kind of stream. */
  protected constructor(namespace: string, domain: string, limits: StreamLimits, events: StreamEvents) {
    super({ domain });
    this.NS = namespace;
    this.Parser = guardedParser(limits);
    this.#domain = domain;
    this.#limits = limits;
    this.#events = events;
    this.#guard = new StreamGuard(limits.stanzaBytes);
    this.on('error', (error) => this.fail(error));
    this.on('close', () => this.#closedByServer());
    this.on('disconnect', () => this.fail(new NotConnected('the link was cut')));
  }

  /** Handles a complete element of the stream. An exception ends the stream. */
  protected abstract take(element: Element): void;

  /** Called when the stream has ended: no answer will arrive. */
  protected abstract over(): void;

  protected get ended(): boolean {
    return this.#ended;
  }

  /** Reads from and writes to this socket from now on. */
  protected attach(socket: Socket): void {
    this.#guard = new StreamGuard(this.#limits.stanzaBytes);
    this.#socket = socket;
    this._attachSocket(socket);
  }

  /** Releases the socket and drops unread data. */
  protected detach(): Socket | undefined {
    const socket = this.#socket;
    this._detachParser();
    this._detachSocket();
    this.#socket = undefined;
    return socket;
  }

  /** Passes an element to the library, which continues the login. */
  protected toLibrary(element: Element): void {
    super._onElement(element);
  }

  /** Opens a stream on the socket. The attempt as a whole has a deadline, so this waits for nothing. */
  override async open(): Promise<Element> {
    this._status('opening');
    const header = this.headerElement();
    header.attrs.to = this.#domain;
    this.root = header;
    this._attachParser(new this.Parser!());
    await this.write(this.header(header));
    return header;
  }

  /** Whether the server has not taken our last answers yet, and large ones should wait. */
  get isBehind(): boolean {
    return this.#unread > BEHIND;
  }

  /** Writes an element and returns its size. A failure ends the stream and is reported by it. */
  put(element: Element): number {
    const text = element.toString();
    this.#write(text);
    return text.length;
  }

  /** Writes an element that is text already. */
  putText(text: string): void {
    this.#write(text);
  }

  /**
   * Writes an answer to a request of the server. Ends the stream when more than 1 MiB of answers is unsent: the server
   * does not read. Returns the size of the answer.
   */
  answer(element: Element): number {
    const text = element.toString();
    this.#unread += text.length;
    this.#write(text, () => {
      const wasBehind = this.isBehind;
      this.#unread -= text.length;
      if (wasBehind && !this.isBehind && !this.#ended) this.#events.answersRead?.();
    });
    if (this.#unread > MOST_UNREAD)
      this.fail(
        new NotConnected(
          `the server sends requests but does not read the answers: more than ${MOST_UNREAD} bytes wait`,
        ),
      );
    return text.length;
  }

  /** Used by the library during the login. */
  override async write(text: string): Promise<void> {
    this.#write(text);
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Takes bytes from the socket. Nothing in them may throw into the socket's event handler: that would end the process. */
  override _onData(data: Buffer): void {
    this.contain(() => this.parser?.write(this.#guard.decode(data)));
    if (!this.#ended) this.#events.readDone();
  }

  override _onElement(element: Element): void {
    this.#guard.stanzaDone();
    if (!this.#ended) this.take(element);
  }

  #closedByServer(): void {
    if (this.#ended) this.#socket?.destroySoon();
    else this.fail(new NotConnected('the server closed the stream'));
  }

  /** Runs an action; an exception ends the stream. */
  protected contain(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (this.#ended) this.#socket?.destroy();
      const cause = error instanceof MagpieError ? error : undefined;
      this.fail(
        cause ?? new StreamViolation(`the server sent unreadable XML: ${errorMessage(error)}`, { cause: error }),
      );
    }
  }

  /** Ends the stream with this reason, at once. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket?.destroy();
    this.over();
    this.#events.failed(linkError(error));
  }

  /**
   * Closes the stream in order (RFC 6120 §4.4); resolves when the server has closed it as well, or when the signal fires. Our side of the
   * socket stays open until then: ejabberd takes its end for the end of the link, and a login may then come before it has put away
   * what the session had left.
   */
  end(signal: AbortSignal): Promise<void> {
    const socket = this.#socket;
    if (this.#ended || !socket || socket.destroyed) return Promise.resolve();
    this.#ended = true;
    this.over();
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.once('close', () => resolve());
    if (!signal.aborted) socket.resume().write(this.footer(this.headerElement()));
    return promise.finally(onAbort(signal, () => socket.destroy()));
  }

  #write(text: string, taken?: () => void): void {
    if (this.#ended || !this.#socket) return;
    this.#socket.write(text, (error) => {
      if (error) this.fail(new NotConnected(`cannot write to the link: ${error.message}`, { cause: error }));
      else taken?.();
    });
  }
}

import { onAbort } from '@magpie/adapter-kit';
import { type Clock, errorMessage, type MagpieError, NotConnected, Unknown } from '@magpie/contract';
import { attribute, type Element, isAnswer, xml } from '../codec/element.ts';
import type { WireStanza } from '../codec/encode.ts';
import { answerTo } from '../codec/iq.ts';
import { NS } from '../codec/namespaces.ts';
import { linkError } from '../errors.ts';
import { ClientStream, type ClientStreamEvents, type LoginOptions } from './client-stream.ts';
import { ReadThrottle } from './read-throttle.ts';
import { Requests } from './requests.ts';
import type { ResumableSession } from './resumable-session.ts';
import type { Settle } from './stanza-counters.ts';
import type { XmlStream } from './stream.ts';
import { StreamManagement } from './stream-management.ts';

/** A received message or presence and the means to say that we are done with it. */
export interface Incoming {
  readonly stanza: Element;
  /** To be called once: the stanza is finished and may be reported to the server as handled. */
  finish(): void;
  /** The server may have delivered it on an earlier link. */
  readonly repeated: boolean;
  /**
   * Given while the gateway takes nothing in: a message for it is left at the server, unfinished, and comes again when the
   * session is resumed.
   */
  readonly leave?: () => void;
}

/** Who hears about a link. */
export interface LinkEvents {
  /** Messages and presences, in order. */
  stanza(incoming: Incoming): void;
  /** All stanzas of one read were handed over: a batch is complete. */
  readDone(): void;
  /** How much of what may wait for the gateway is waiting: at 1 reading stops. Asked after each read and each finished stanza. */
  load(): number;
  /** The established link is lost. */
  lost(error: MagpieError): void;
}

const TAKEN_UP = 'what was left at the server while intake was held is fetched again';

/** What a link is made of besides its login. */
export interface LinkOptions {
  readonly clock: Clock;
  /** How long the server may take to acknowledge or answer, ms. */
  readonly timeout: number;
}

/**
 * A link over which stanzas go, logged in. What is sent is confirmed by the server (XEP-0198, or a ping where it has none),
 * what arrives is reported once it is finished, questions get their answers. One per login, made by `openLink`.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #session: ResumableSession;
  readonly #events: LinkEvents;
  readonly #management: StreamManagement;
  readonly #requests: Requests;
  readonly #opened = Promise.withResolvers<void>();
  #stream: XmlStream | undefined;
  #live = false;
  #ended: MagpieError | undefined;
  readonly #throttle: ReadThrottle;

  /** Made by `openLink` only. */
  constructor(options: LinkOptions, session: ResumableSession, events: LinkEvents) {
    this.#options = options;
    this.#session = session;
    this.#events = events;
    this.#management = new StreamManagement(session, {
      ...options,
      stream: () => this.#stream,
      paused: () => this.#throttle.paused,
    });
    this.#throttle = new ReadThrottle({
      clock: options.clock,
      load: () => events.load(),
      pause: () => this.#stream?.pause(),
      resume: () => this.#stream?.resume(),
      keepsUnfinished: () => session.id !== undefined && this.#management.counting,
      takeUp: () => this.drop(new NotConnected(TAKEN_UP)),
    });
    this.#requests = new Requests(options.clock, options.timeout);
    this.#opened.promise.catch(() => undefined); // Dialling may fail first; then nobody waits for this one.
  }

  /** Our full JID. */
  get jid(): string {
    return this.#session.jid;
  }

  /** Whether an earlier session goes on: rooms are still joined, nothing was missed. */
  get resumed(): boolean {
    return this.#management.resumed;
  }

  /** Whether the server acknowledges stanzas (XEP-0198). */
  get managed(): boolean {
    return this.#management.counting;
  }

  /** Reading is stopped because too much waits for the gateway. */
  get paused(): boolean {
    return this.#throttle.paused;
  }

  /**
   * The server has yet to read so much of what we have sent that an answer may be late though the link is fine: its
   * acknowledgements are waited for all the same.
   */
  get busy(): boolean {
    return this.#management.busy;
  }

  /** Logs in by this stream. Rejects when the stream ends before that is done. */
  async establish(open: (events: ClientStreamEvents) => Promise<XmlStream>, signal: AbortSignal): Promise<void> {
    try {
      this.#stream = await open(this.#streamEvents());
      const late = (): void => this.drop(new NotConnected('the server did not finish the login in time'));
      await this.#opened.promise.finally(onAbort(signal, late));
    } catch (error) {
      throw linkError(error);
    }
  }

  /** Sends a stanza without waiting. A failure ends the link. Throws `NotConnected` when the link is over. */
  post(stanza: Element): void {
    this.#send(stanza);
  }

  /**
   * Sends a message. `settle` is called once: without an error when the server has taken it; with `Unknown` when the link is
   * lost before, `TooLarge` when the server has ended the link for the size of this message. Throws `NotConnected` when the
   * link is over.
   */
  deliver(stanza: WireStanza, settle: Settle): void {
    this.#expectLive();
    this.#stream?.putText(stanza.text);
    this.#management.sent(stanza.id, stanza.bytes, settle);
    if (!this.#management.counting) this.#confirmByPing(settle);
  }

  /**
   * Asks and resolves with the answer, a result or an error, from whom we have asked. Rejects with `NotConnected` on silence,
   * `Aborted` on the signal.
   * @param to left out for the server and our own account.
   */
  request(type: 'get' | 'set', child: Element, to?: string, signal?: AbortSignal): Promise<Element> {
    return this.#requests.ask({ type, child, to }, (iq) => this.#send(iq), signal);
  }

  /** Drops the link with this reason; the session stays resumable. */
  drop(error: MagpieError): void {
    this.#stream?.fail(error);
  }

  /** Says goodbye, which ends the session. With a signal that has fired it only cuts the link: the session stays resumable. */
  async close(signal: AbortSignal): Promise<void> {
    if (signal.aborted) {
      if (this.#management.unread) this.#session.forget();
      this.#over(new NotConnected('the link was cut'));
      await this.#stream?.end(signal);
      return;
    }
    if (this.#live) {
      this.#management.report();
      this.#stream?.put(xml('presence', { type: 'unavailable' }));
    }
    this.#over(new NotConnected('the connection was closed'));
    this.#session.forget();
    await this.#stream?.end(AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeout)]));
  }

  #streamEvents(): ClientStreamEvents {
    const management = this.#management;
    const begun = <T>(phase: T): T => {
      if (phase === 'managed' || phase === 'unmanaged') this.#begin();
      return phase;
    };
    return {
      resumption: () => management.resumption(),
      bound: (jid, offered) => {
        const enable = management.bound(jid, offered);
        if (!enable) this.#begin();
        return enable;
      },
      management: (element, phase) => {
        const next = management.take(element, phase);
        return next === phase ? phase : begun(next);
      },
      stanza: (element) => this.#receive(element),
      readDone: () => {
        if (!this.#live) return;
        this.#events.readDone();
        this.#throttle.update();
      },
      failed: (error) => {
        const established = this.#live;
        this.#over(error);
        if (established) this.#events.lost(error);
        else this.#opened.reject(error);
      },
    };
  }

  #begin(): void {
    this.#live = true;
    this.#management.start();
    this.#opened.resolve();
  }

  #receive(stanza: Element): void {
    const { finish, repeated } = this.#management.arrived();
    if (stanza.name === 'iq') {
      finish();
      if (isAnswer(stanza)) this.#requests.answered(stanza, this.jid);
      else this.#answer(stanza);
      return;
    }
    const finished = (): void => {
      finish();
      if (this.#live) this.#throttle.update();
    };
    const { leave } = this.#throttle;
    this.#events.stanza({ stanza, finish: finished, repeated, ...(leave ? { leave } : {}) });
  }

  #answer(iq: Element): void {
    const answer = answerTo(iq);
    if (!answer) return;
    this.#stream?.answer(answer);
    this.#management.sent(attribute(answer, 'id'), 0);
  }

  #send(stanza: Element): void {
    this.#expectLive();
    const bytes = this.#stream?.put(stanza) ?? 0;
    this.#management.sent(attribute(stanza, 'id'), bytes);
  }

  #expectLive(): void {
    if (!this.#live) throw new NotConnected(this.#ended?.message ?? 'the link is down');
  }

  /** Without XEP-0198 a ping answered by the same server proves that it has taken what came before (RFC 6120 §10.1). */
  #confirmByPing(settle: Settle): void {
    const silent = (error: unknown): void =>
      settle(new Unknown(`the server did not answer after the message: ${errorMessage(error)}`, { cause: error }));
    this.request('get', xml('ping', { xmlns: NS.ping })).then(() => settle(), silent);
  }

  /** Everything that waits is told so. */
  #over(error: MagpieError): void {
    this.#live = false;
    this.#throttle.end();
    this.#ended ??= error;
    this.#management.end(error);
    this.#requests.end(error);
  }
}

/**
 * Logs a client in and resumes or starts a session. One attempt; the signal ends it. Rejects with a taxonomy error and leaves
 * nothing behind.
 */
export async function openLink(
  login: LoginOptions,
  options: LinkOptions,
  session: ResumableSession,
  events: LinkEvents,
  signal: AbortSignal,
): Promise<Link> {
  const link = new Link(options, session, events);
  await link.establish((streamEvents) => ClientStream.open(login, streamEvents, signal), signal);
  return link;
}

import { onAbort } from '@magpie/adapter-kit';
import { type Clock, errorMessage, type MagpieError, NotConnected, Unknown } from '@magpie/contract';
import type { WireStanza } from '../codec/encode.ts';
import { attribute, type Element, isAnswer, xml } from '../codec/stanza/element.ts';
import { answerTo } from '../codec/stanza/iq.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { linkError } from '../errors.ts';
import type { MovedRooms } from '../rooms/moved-rooms.ts';
import type { ClientStreamEvents } from './client-stream.ts';
import { Questions } from './questions.ts';
import { ReadThrottle } from './read-throttle.ts';
import { Requests } from './requests.ts';
import type { ResumableSession } from './resumable-session.ts';
import type { Settle } from './stanza-counters.ts';
import type { XmlStream } from './stream.ts';
import { StreamManagement } from './stream-management.ts';

/** A received message or presence with the callback that finishes it. */
export interface Incoming {
  readonly stanza: Element;
  /** Call it once the stanza is finished: it is then reported to the server as handled. */
  finish(): void;
  /** Whether the server may have delivered it on an earlier link. */
  readonly repeated: boolean;
  /**
   * Given while the gateway takes nothing in: a message for it is left at the server, unfinished, and comes again when the
   * session is resumed.
   */
  readonly leave?: () => void;
  /** Set for a message whose sender wants to know that it is on disk. */
  readonly stored?: (() => void) | undefined;
}

/** Callbacks of a link. */
export interface LinkEvents {
  /** Messages and presences, in order. */
  stanza(incoming: Incoming): void;
  /** Called after all stanzas of one read: a batch is complete. */
  readDone(): void;
  /** Share of the receive budget in use: at 1 reading stops. Called after each read and each finished stanza. */
  load(): number;
  /**
   * The answer to a question that is about one of our addresses, or that it is sent by `post` later; undefined for any other
   * question. `repeated` as of a stanza.
   */
  answer?(iq: Element, repeated: boolean): Element | 'later' | undefined;
  /** The established link is lost. */
  lost(error: MagpieError): void;
}

const TAKEN_UP = 'what was left at the server while intake was held is fetched again';

/** What a link is made of besides its login. */
export interface LinkOptions {
  readonly clock: Clock;
  /** Longest time for the server to acknowledge or answer, ms. */
  readonly timeout: number;
  /** Set for a component: its domain. It asks itself, through the server, whether the server is there. */
  readonly domain?: string | undefined;
  /** Exchanges the addresses of rooms that have moved. */
  readonly moved: Pick<MovedRooms, 'outgoing' | 'incoming'>;
}

/**
 * A logged-in link. Sent stanzas are confirmed by the server (XEP-0198, or a ping without it), received ones are
 * reported to it once finished, requests get their answers. One per login, made by `openLink`.
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
  /** What the server takes by its own word (XEP-0478), bytes. */
  largestStanza: number | undefined;
  #ended: MagpieError | undefined;
  readonly #throttle: ReadThrottle;
  readonly #questions: Questions;

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
    this.#questions = new Questions({
      isBehind: () => this.#stream?.isBehind === true,
      answer: (iq, repeated) => {
        const answer = this.#events.answer?.(iq, repeated) ?? answerTo(iq);
        return answer === 'later' ? undefined : answer;
      },
      send: (answer, iq) => this.#answer(answer, attribute(iq, 'to')),
    });
    this.#opened.promise.catch(() => undefined); // Dialling may fail first; then this promise has no consumer.
  }

  /** Our full JID. */
  get jid(): string {
    return this.#session.jid;
  }

  /** Whether an earlier session was resumed: rooms are still joined, nothing was missed. */
  get resumed(): boolean {
    return this.#management.resumed;
  }

  /** Whether the server acknowledges stanzas (XEP-0198). */
  get managed(): boolean {
    return this.#management.counting;
  }

  /** Whether reading is stopped because the receive budget is used up. */
  get paused(): boolean {
    return this.#throttle.paused;
  }

  /** Whether the server has so much of our data to read that an answer may be late on a working link. */
  get busy(): boolean {
    return this.#management.busy;
  }

  /** Logs in over this stream. Rejects when the stream ends before. */
  async establish(open: (events: ClientStreamEvents) => Promise<XmlStream>, signal: AbortSignal): Promise<void> {
    try {
      this.#stream = await open(this.#streamEvents());
      const late = (): void => this.drop(new NotConnected('the server did not finish the login in time'));
      await this.#opened.promise.finally(onAbort(signal, late));
    } catch (error) {
      throw linkError(error);
    }
  }

  /** Sends a stanza without waiting. A failure ends the link. Throws `NotConnected` after the link has ended. */
  post(stanza: Element): void {
    const to = attribute(stanza, 'to');
    if (to !== undefined) stanza.attrs.to = this.#options.moved.outgoing(to);
    this.#send(stanza);
  }

  /**
   * Sends a message. `settle` is called once: without an error when the server has acknowledged it; with `Unknown` when
   * the link is lost before, `TooLarge` when the server ended the link because of its size. Throws `NotConnected` after
   * the link has ended.
   */
  deliver(stanza: WireStanza, settle: Settle): void {
    this.#expectLive();
    this.#stream?.putText(stanza.text);
    this.#management.sent(stanza.id, stanza.bytes, settle);
    if (!this.#management.counting) this.#confirmByPing(settle);
  }

  /**
   * Sends a request and resolves with the addressee's answer, a result or an error. Rejects with `NotConnected` without
   * an answer, `Aborted` on the signal. `to` is left out for the server and our own account; `send` may be `deliver`.
   */
  request(type: 'get' | 'set', child: Element, to?: string, signal?: AbortSignal, send = this.#send): Promise<Element> {
    const address = to && this.#options.moved.outgoing(to);
    return this.#requests.ask({ type, child, to: address }, send, signal);
  }

  /**
   * Resolves when the server has answered, which shows that it has taken everything sent before (RFC 6120 §10.1). What a
   * component asks itself goes through the server like everything else. Rejects like `request`.
   */
  async ping(signal?: AbortSignal): Promise<void> {
    await this.request('get', xml('ping', { xmlns: NS.ping }), this.#options.domain, signal);
  }

  /** Drops the link with this reason; the session stays resumable. */
  drop(error: MagpieError): void {
    this.#stream?.fail(error);
  }

  /** Closes the stream, which ends the session. If the signal has fired it only cuts the link: the session stays resumable. */
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
      limits: (bytes) => {
        this.largestStanza = bytes;
      },
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
      answersRead: () => this.#questions.goOn(),
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
      else this.#questions.take(stanza, repeated);
      return;
    }
    const finished = (): void => {
      finish();
      if (this.#live) this.#throttle.update();
    };
    this.#options.moved.incoming(stanza);
    const { leave } = this.#throttle;
    this.#events.stanza({ stanza, finish: finished, repeated, ...(leave ? { leave } : {}) });
  }

  #answer(answer: Element, from: string | undefined): void {
    if (this.#options.domain !== undefined) answer.attrs.from = from;
    const bytes = this.#stream?.answer(answer) ?? 0;
    this.#management.sent(attribute(answer, 'id'), bytes);
  }

  readonly #send = (stanza: Element): void => {
    this.#expectLive();
    const bytes = this.#stream?.put(stanza) ?? 0;
    this.#management.sent(attribute(stanza, 'id'), bytes);
  };

  #expectLive(): void {
    if (!this.#live) throw new NotConnected(this.#ended?.message ?? 'the link is down');
  }

  /** Without XEP-0198 a ping answered by the same server proves that it has read everything before (RFC 6120 §10.1). */
  #confirmByPing(settle: Settle): void {
    const silent = (error: unknown): void =>
      settle(new Unknown(`the server did not answer after the message: ${errorMessage(error)}`, { cause: error }));
    this.ping().then(() => settle(), silent);
  }

  /** Ends everything that waits on the link. */
  #over(error: MagpieError): void {
    this.#live = false;
    this.#questions.clear();
    this.#throttle.end();
    this.#ended ??= error;
    this.#management.end(error);
    this.#requests.end(error);
  }
}

import { type Clock, type MagpieError, NotConnected } from '@magpie/contract';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { lostOnTheWay, StanzaTooBig } from '../errors.ts';
import type { Phase } from './phases.ts';
import type { ResumableSession } from './resumable-session.ts';
import type { Settle } from './stanza-counters.ts';
import type { XmlStream } from './stream.ts';
import { StreamViolation } from './stream-guard.ts';

/** How many finished stanzas, or how much time, may pass before they are reported to the server unasked. */
const REPORT = { stanzas: 50, ms: 200 } as const;

/** So much may go out without asking the server what it has taken, in bytes: a slow one tells by that how far it is. */
const ASK_BYTES = 1024;
/** From so many bytes on that the server has yet to read, an answer of it may be late though the link is fine. */
const BUSY_BYTES = 4096;
/** The slowest that a server is expected to read, in bytes per ms: ejabberd's usual shaper lets three times as much through. */
const SLOWEST = 1;

/** What one link's stream management needs. */
export interface ManagementOptions {
  readonly clock: Clock;
  /** How long the server may take to acknowledge, ms. */
  readonly timeout: number;
  /** The stream, once it is open. */
  stream(): XmlStream | undefined;
  /** Reading is stopped: no acknowledgement can be read. */
  paused(): boolean;
}

/**
 * Stream management of one link (XEP-0198): confirms what we send, and reports what is finished of what we received, never
 * what has merely arrived. Its counters outlive it in the resumable session.
 */
export class StreamManagement {
  readonly #session: ResumableSession;
  readonly #options: ManagementOptions;
  /** Stanzas are counted: from `<enable/>` or `<resumed/>` on. */
  #counting = false;
  #resumed = false;
  #live = false;
  /** Bytes that went out before each question that waits for its answer, since the question before it. */
  #asked: number[] = [];
  /** Bytes that went out since the last question. */
  #since = 0;
  /** The server has acknowledged something on this link. */
  #answered = false;
  #askTimer = (): void => undefined;
  #reported = 0;
  #reportTimer: (() => void) | undefined;

  constructor(session: ResumableSession, options: ManagementOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** Whether the server acknowledges stanzas. */
  get counting(): boolean {
    return this.#counting;
  }

  /** Whether an earlier session goes on. */
  get resumed(): boolean {
    return this.#resumed;
  }

  /** Whether so much is still to be read by the server that an answer may be late without the link being dead. */
  get busy(): boolean {
    return this.#asked.reduce((sum, bytes) => sum + bytes, this.#since) > BUSY_BYTES;
  }

  /** What to ask for before a resource is bound, when an earlier session may go on. */
  resumption(): Element | undefined {
    const { id } = this.#session;
    if (id === undefined) return undefined;
    return xml('resume', { xmlns: NS.streamManagement, previd: id, h: String(this.#session.close()) });
  }

  /** A resource is bound, the session is new. The result asks for management when the server offers it. */
  bound(jid: string, offered: boolean): Element | undefined {
    this.#session.restart(jid);
    this.#counting = offered;
    return offered ? xml('enable', { xmlns: NS.streamManagement, resume: 'true' }) : undefined;
  }

  /**
   * Takes an element of XEP-0198 that has its place in the phase; the result is the phase that follows.
   * @throws StreamViolation on a count that cannot be.
   */
  take(element: Element, phase: Phase): Phase {
    const h = Number(attribute(element, 'h') ?? Number.NaN);
    switch (element.getName()) {
      case 'enabled':
        return this.#enabled(element);
      case 'resumed':
        return this.#resume(h);
      case 'failed':
        return this.#refused(phase, h);
      case 'r':
        this.report();
        return phase;
      default:
        this.#acknowledged(h);
        return phase;
    }
  }

  /** The session is established: from now on the server is asked for what it has taken. */
  start(): void {
    this.#live = true;
    this.#reported = this.#session.inbound.handled;
    this.#ask();
  }

  /** A stanza of so many bytes goes out; `settle` hears when the server has taken it. */
  sent(id: string | undefined, bytes: number, settle?: Settle): void {
    if (!this.#counting) return;
    this.#since += bytes;
    this.#session.outbound.push(id, bytes, settle);
    this.#ask();
  }

  /** A stanza has arrived: the result is to be called once it is finished. `repeated`: it may be a second delivery. */
  arrived(): { readonly finish: () => void; readonly repeated: boolean } {
    const session = this.#session;
    const { inbound } = session;
    const finished = inbound.arrive();
    const repeated = session.repeats > 0;
    if (repeated) session.repeats -= 1;
    const finish = (): void => {
      finished();
      if (inbound === session.inbound) this.#reportSoon();
    };
    return { finish, repeated };
  }

  /** Tells the server how many of its stanzas are finished. */
  report(): void {
    this.#reportTimer?.();
    this.#reportTimer = undefined;
    if (!this.#counting) return;
    this.#reported = this.#session.inbound.handled;
    this.#options.stream()?.answer(xml('a', { xmlns: NS.streamManagement, h: String(this.#reported) }));
  }

  /** The link is over. Every stanza that waits for the server settles as `Unknown`. */
  end(error: MagpieError): void {
    this.#live = false;
    this.#askTimer();
    this.#reportTimer?.();
    if (error instanceof StreamViolation) this.#session.forget();
    if (error instanceof StanzaTooBig) this.#session.outbound.refuseLargest((bytes) => error.refusal(bytes));
    this.#session.outbound.lose(lostOnTheWay(error));
  }

  /**
   * Whether the server has read nothing of a session that it resumed (Prosody 0.12.3, when it found an old line still full).
   * It would not the next time either: when such a link ends in silence, only a new session helps.
   */
  get unread(): boolean {
    return this.#resumed && !this.#answered;
  }

  #enabled(element: Element): Phase {
    const resumable = /^(true|1)$/.test(attribute(element, 'resume') ?? '');
    this.#session.enable(resumable ? attribute(element, 'id') : undefined);
    return 'managed';
  }

  #resume(h: number): Phase {
    if (!this.#session.outbound.resume(h))
      throw new StreamViolation(`the server resumed the session with h=${h}, which cannot be`);
    this.#resumed = true;
    this.#counting = true;
    return 'managed';
  }

  /** Either our `<enable/>` or our `<resume/>` was refused. */
  #refused(phase: Phase, h: number): Phase {
    if (phase === 'enable') {
      this.#counting = false;
      return 'unmanaged';
    }
    this.#session.outbound.resume(h);
    this.#session.forget();
    return 'bind';
  }

  #acknowledged(h: number): void {
    this.#asked.shift();
    this.#answered = true;
    if (!this.#session.outbound.acknowledge(h))
      throw new StreamViolation(`the server acknowledged ${h} stanzas, more than were sent`);
    this.#await();
    this.#ask();
  }

  /** Asks for an acknowledgement when something waits for one: at the rate of the round trip, and again after some bytes. */
  #ask(): void {
    if (!this.#live || !this.#counting || this.#session.outbound.length === 0) return;
    if (this.#asked.length > 0 && this.#since < ASK_BYTES) return;
    this.#asked.push(this.#since);
    this.#since = 0;
    this.#options.stream()?.put(xml('r', { xmlns: NS.streamManagement }));
    if (this.#asked.length === 1) this.#await();
  }

  /** Gives the server time to answer the next question, and to read what stands before it. */
  #await(): void {
    this.#askTimer();
    const [bytes] = this.#asked;
    this.#askTimer = (): void => undefined;
    if (bytes === undefined) return;
    const { clock, timeout } = this.#options;
    this.#askTimer = clock.timeout(timeout + bytes / SLOWEST, () => this.#silent());
  }

  #silent(): void {
    const { clock, timeout, stream, paused } = this.#options;
    if (paused()) {
      this.#askTimer = clock.timeout(timeout, () => this.#silent());
      return;
    }
    if (this.unread) this.#session.forget();
    stream()?.fail(new NotConnected(`the server has not acknowledged anything for ${timeout} ms`));
  }

  #reportSoon(): void {
    const { inbound } = this.#session;
    if (!this.#live || !this.#counting || inbound.handled === this.#reported) return;
    if (inbound.handled - this.#reported >= REPORT.stanzas) this.report();
    else this.#reportTimer ??= this.#options.clock.timeout(REPORT.ms, () => this.report());
  }
}

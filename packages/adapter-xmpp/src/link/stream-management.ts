import { type Clock, type MagpieError, NotConnected } from '@magpie/contract';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { lostOnTheWay, StanzaTooBig } from '../errors.ts';
import type { Phase } from './phases.ts';
import type { ResumableSession } from './resumable-session.ts';
import type { Settle } from './stanza-counters.ts';
import type { XmlStream } from './stream.ts';
import { StreamViolation } from './stream-guard.ts';

/** Number of finished stanzas, or time, after which they are reported to the server unasked. */
const REPORT = { stanzas: 50, ms: 200 } as const;

/** Bytes that may be sent before the server is asked for an acknowledgement; shows the progress of a slow server. */
const ASK_BYTES = 1024;
/** Unread bytes above which an answer may be late on a working link. */
const BUSY_BYTES = 4096;
/**
 * The slowest expected reading speed of a server, bytes per ms: ejabberd's default shaper allows three times as much.
 */
const SLOWEST = 1;

/** Dependencies of one link's stream management. */
export interface ManagementOptions {
  readonly clock: Clock;
  /** Longest time for an acknowledgement, ms. */
  readonly timeout: number;
  /** The stream, once it is open. */
  stream(): XmlStream | undefined;
  /** Whether reading is stopped: no acknowledgement can be read. */
  paused(): boolean;
}

/**
 * Stream management of one link (XEP-0198): confirms sent stanzas, and reports received stanzas once they are finished,
 * not when they arrive. Its counters live on in the resumable session.
 */
export class StreamManagement {
  readonly #session: ResumableSession;
  readonly #options: ManagementOptions;
  /** Whether stanzas are counted: from `<enable/>` or `<resumed/>` on. */
  #counting = false;
  #resumed = false;
  #live = false;
  /** Bytes sent before each unanswered request, since the previous one. */
  #asked: number[] = [];
  /** Bytes sent since the last request. */
  #since = 0;
  /** Whether the server has acknowledged anything on this link. */
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

  /** Whether the server has so much left to read that an answer may be late on a working link. */
  get busy(): boolean {
    return this.#asked.reduce((sum, bytes) => sum + bytes, this.#since) > BUSY_BYTES;
  }

  /** The request to send before binding a resource, if an earlier session can be resumed. */
  resumption(): Element | undefined {
    const { id } = this.#session;
    if (id === undefined) return undefined;
    return xml('resume', { xmlns: NS.streamManagement, previd: id, h: String(this.#session.close()) });
  }

  /**
   * Called when a resource is bound: the session is new. Returns the request for management if the server offers it.
   */
  bound(jid: string, offered: boolean): Element | undefined {
    this.#session.restart(jid);
    this.#counting = offered;
    return offered ? xml('enable', { xmlns: NS.streamManagement, resume: 'true' }) : undefined;
  }

  /**
   * Handles an element of XEP-0198 that is allowed in the phase; returns the next phase. @throws StreamViolation on an
   * impossible count.
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

  /** Called when the session is established: from now on acknowledgements are requested. */
  start(): void {
    this.#live = true;
    this.#reported = this.#session.inbound.handled;
    this.#ask();
  }

  /** Counts a sent stanza of `bytes` bytes; `settle` is called when the server has acknowledged it. */
  sent(id: string | undefined, bytes: number, settle?: Settle): void {
    if (!this.#counting) return;
    this.#since += bytes;
    this.#session.outbound.push(id, bytes, settle);
    this.#ask();
  }

  /** Counts an arrived stanza; call `finish` once it is finished. `repeated`: it may be a second delivery. */
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

  /** Called when the link has ended. Settles every waiting stanza as `Unknown`. */
  end(error: MagpieError): void {
    this.#live = false;
    this.#askTimer();
    this.#reportTimer?.();
    if (error instanceof StreamViolation) this.#session.forget();
    if (error instanceof StanzaTooBig) this.#session.outbound.refuseLargest((bytes) => error.refusal(bytes));
    this.#session.outbound.lose(lostOnTheWay(error));
  }

  /**
   * Whether the server has read nothing in a resumed session (Prosody 0.12.3, when the old socket was still full). It
   * would not do so the next time either: after a silent end, only a new session helps.
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
      throw new StreamViolation(`the server resumed the session with an impossible count (h=${h})`);
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

  /** Requests an acknowledgement if a stanza waits for one: once per round trip, and again after some bytes. */
  #ask(): void {
    if (!this.#live || !this.#counting || this.#session.outbound.length === 0) return;
    if (this.#asked.length > 0 && this.#since < ASK_BYTES) return;
    this.#asked.push(this.#since);
    this.#since = 0;
    this.#options.stream()?.put(xml('r', { xmlns: NS.streamManagement }));
    if (this.#asked.length === 1) this.#await();
  }

  /** Starts the time limit for the next answer, including the time to read the data before it. */
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

import {
  Aborted,
  type AdapterContext,
  type Connection,
  type MagpieError,
  NotConnected,
  type OutgoingEvent,
  type PresenceEntry,
  type SendReceipt,
  type Sink,
  type SourceRequest,
  type TargetRequest,
  throwIfAborted,
} from '@magpie/contract';
import type { XmppConfig } from './config.ts';
import type { XmppTarget } from './route-keys.ts';
import { Session } from './session.ts';

/** Longest time for one attempt to log in, ms; the contract allows 30 s. */
const LOGIN_MS = 25_000;

/** Rooms store nothing for a session that could not be resumed (XEP-0198 §5). */
const SESSION_LOST = 'the session could not be resumed: messages may be missing';

/** A configured XMPP connection. No I/O until `connect`. */
export class XmppConnection implements Connection {
  readonly #config: XmppConfig;
  readonly #context: AdapterContext;
  readonly #session: Session;
  /** Ends the attempt to connect in progress. */
  #attempt = new AbortController();
  /** Whether the supervisor considers us connected and must be told of a loss. */
  #connected = false;
  /** Error that ended the last link. */
  #loss: MagpieError | undefined;
  /** Whether anything is received: losing the session then leaves a gap. */
  #receiving = false;
  /** Whether messages may be missing without an event that says so. */
  #gap = false;
  #lastPing = 0;

  constructor(config: XmppConfig, context: AdapterContext) {
    this.#config = config;
    this.#context = context;
    this.#session = new Session(config, context, (error) => this.#lost(error));
  }

  async connect(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    this.#attempt = new AbortController();
    this.#loss = undefined;
    this.#session.intake.wake();
    const stop = AbortSignal.any([signal, this.#attempt.signal]);
    try {
      const link = await this.#session.establish(AbortSignal.any([stop, AbortSignal.timeout(LOGIN_MS)]));
      throwIfAborted(stop);
      if (this.#session.link !== link) throw this.#loss ?? new NotConnected('the link was lost while connecting');
      this.#gap ||= this.#receiving && !link.resumed;
      this.#lastPing = this.#context.clock.monotonic();
      this.#connected = true;
    } catch (error) {
      const loss = this.#loss;
      await this.#session.abandon();
      if (loss) throw loss;
      if (stop.aborted) throw new Aborted('cancelled while connecting', { cause: stop.reason });
      throw error;
    }
  }

  async receive(sources: readonly SourceRequest[], sink: Sink): Promise<void> {
    const session = this.#session;
    const link = session.live();
    session.intake.open(sources, sink);
    session.offer(sources);
    this.#receiving = sources.length > 0;
    if (this.#gap) {
      session.gaps.session(SESSION_LOST, () => {
        this.#gap = false;
      });
    }
    const fromContacts = sources.some(({ pattern }) => pattern.scheme === 'jid');
    // A server sends what services tell an account only to clients that take its messages.
    const fromNodes = sources.some(({ pattern }) => pattern.scheme === 'node');
    const announced = session.announce(link, fromContacts || fromNodes);
    session.catchUp(link, fromContacts || sources.some(({ pattern }) => pattern.scheme === 'contact'));
    const patterns = sources.map(({ pattern }) => pattern);
    await Promise.all([announced, session.rooms.want(patterns), session.nodes.want(patterns)]);
  }

  send(event: OutgoingEvent, target: TargetRequest<XmppTarget>, signal: AbortSignal): Promise<SendReceipt> {
    return this.#session.outbox.send(event, target, signal);
  }

  async probe(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    const link = this.#session.live();
    // While reading is stopped no answer can be read; the received data proves that the link works. A server that reads
    // slowly (traffic shaping) answers late: its acknowledgements are the proof, and without them the link ends.
    if (link.paused || link.busy) return;
    await link.ping(signal);
    const now = this.#context.clock.monotonic();
    if (now - this.#lastPing < this.#config.ping) return;
    this.#lastPing = now;
    await Promise.all([this.#session.rooms.ping(signal), this.#session.nodes.ping(signal)]);
  }

  presence(): Iterable<PresenceEntry> {
    return this.#session.present();
  }

  async quiesce(): Promise<void> {
    this.#session.intake.quiesce();
    const { link } = this.#session;
    if (link) await this.#session.announce(link, false);
  }

  async close(signal: AbortSignal): Promise<void> {
    this.#attempt.abort();
    this.#connected = false;
    await this.#session.end(signal);
  }

  #lost(error: MagpieError): void {
    this.#loss = error;
    if (!this.#connected) return;
    this.#connected = false;
    this.#context.lost(error);
  }
}

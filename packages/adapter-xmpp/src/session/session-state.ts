import type { Clock, MagpieError } from '@magpie/contract';
import type { Element } from '../link/library.ts';
import type { Link, LinkOptions } from '../link/stream.ts';
import {
  createInboundCounter,
  createOutboundQueue,
  type InboundCounter,
  type OutboundQueue,
} from './stanza-counters.ts';

/** What survives a lost link, so that the next attempt can resume the session (XEP-0198 §5). Owned by the connection. */
export interface ResumableState {
  /** The server's id of the session; undefined when there is nothing to resume. */
  id: string | undefined;
  jid: string;
  inbound: InboundCounter;
  outbound: OutboundQueue;
  /** Stanzas that arrived again after a resumption may be second deliveries: how many are still to come. */
  repeats: number;
}

/** Nothing to resume. */
export const freshState = (): ResumableState => ({
  id: undefined,
  jid: '',
  inbound: createInboundCounter(),
  outbound: createOutboundQueue(),
  repeats: 0,
});

/** An incoming stanza and the means to say that we are done with it. */
export interface Incoming {
  readonly stanza: Element;
  /** To be called once: the stanza is finished and may be reported to the server as handled. */
  finish(): void;
  /** The server may have delivered it on an earlier link. */
  readonly repeated: boolean;
}

/** Who hears about a session. */
export interface SessionEvents {
  /** Messages and presences, in order. */
  stanza(incoming: Incoming): void;
  /** All stanzas of one read were handed over: a batch is complete. */
  readDone(): void;
  /** How much of what may wait for the gateway is waiting: at 1 reading stops. Asked after each read and each finished stanza. */
  load(): number;
  /** An established session has lost its link. */
  lost(error: MagpieError): void;
}

/** What one attempt to log in, and the session it becomes, are made of. */
export interface SessionOptions extends LinkOptions {
  readonly clock: Clock;
  /** How long the server may take to acknowledge or answer, ms. */
  readonly timeout: number;
}

/** An iq that waits for its answer. */
export interface Pending {
  resolve(result: Element): void;
  reject(error: MagpieError): void;
}

/** One attempt to log in and the session it became. Shared by `session.ts` and `management.ts`. */
export interface SessionState {
  readonly options: SessionOptions;
  readonly kept: ResumableState;
  readonly events: SessionEvents;
  readonly requests: Map<string, Pending>;
  readonly opened: PromiseWithResolvers<void>;
  link: Link | undefined;
  phase: 'negotiating' | 'ready' | 'over';
  /** Why it is over. */
  ended: MagpieError | undefined;
  resumed: boolean;
  /** Outgoing stanzas are counted: from `<enable/>` or `<resumed/>` on. */
  counting: boolean;
  paused: boolean;
  asked: boolean;
  /** The server has acknowledged something on this link. */
  answered: boolean;
  askTimer: (() => void) | undefined;
  reported: number;
  reportTimer: (() => void) | undefined;
}

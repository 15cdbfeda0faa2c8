import { memoryAdapter } from '@magpie/adapter-memory';
import {
  Aborted,
  type AdapterContext,
  type AnyAdapter,
  type Connection,
  type MagpieError,
  NotConnected,
  type OutgoingEvent,
  type SendReceipt,
  type Sink,
  Transient,
  Unknown,
} from '@magpie/contract';

/** A send without an answer yet. */
export interface OpenSend {
  readonly event: OutgoingEvent;
  /** Confirms it, or refuses it with an error. */
  answer(error?: MagpieError): void;
}

/** The other side of one connection, for the length of a run; each process has a line of its own to it. */
export interface Link {
  reachable: boolean;
  readonly open: OpenSend[];
  /** Places, by their text, that refuse what is sent to them while others take it. */
  readonly closed: Set<string>;
  sink: Sink | undefined;
  /** Cuts the line: what is unconfirmed has an unknown outcome. */
  lose(): void;
  /** Drops the line of a crashed process: nothing reaches it. */
  forget(): void;
}

/** Events for observers of the links. */
export interface LinkWatcher {
  /** A message goes out. Returns whether the other side ends the link for it. */
  sent(connection: string, event: OutgoingEvent, unanswered: readonly OpenSend[]): boolean;
  /** The link ended while a message was alone on its way. */
  lostAlone(connection: string, event: OutgoingEvent): void;
}

/** What a link makes of an answer; a sound one changes nothing. */
type Garble = (answer: MagpieError | undefined) => MagpieError | undefined;

interface Line {
  lost(error: MagpieError): void;
}

/** An adapter whose other side is answered by hand, and its links by the names of the connections. */
export function scriptedAdapter(
  watcher: LinkWatcher,
  garble: Garble = (answer) => answer,
): { readonly adapter: AnyAdapter; link(name: string): Link } {
  const links = new Map<string, ScriptedLink>();
  const link = (name: string): ScriptedLink => {
    const known = links.get(name) ?? new ScriptedLink(name, watcher, garble);
    links.set(name, known);
    return known;
  };
  const adapter: AnyAdapter = {
    ...memoryAdapter,
    create: (_config: unknown, context: AdapterContext) => link(context.name).connection(context),
  };
  return { adapter, link };
}

class ScriptedLink implements Link {
  readonly #name: string;
  readonly #watcher: LinkWatcher;
  readonly #garble: Garble;
  #line: Line | undefined;
  reachable = true;
  readonly open: OpenSend[] = [];
  readonly closed = new Set<string>();
  sink: Sink | undefined;

  constructor(name: string, watcher: LinkWatcher, garble: Garble) {
    this.#name = name;
    this.#watcher = watcher;
    this.#garble = garble;
  }

  lose(): void {
    const line = this.#line;
    this.#line = undefined;
    this.#drop();
    line?.lost(new NotConnected('the line is cut'));
  }

  forget(): void {
    this.#line = undefined;
    this.sink = undefined;
    this.open.length = 0;
  }

  connection(context: AdapterContext): Connection {
    const line: Line = { lost: (error) => context.lost(error) };
    return {
      connect: async () => {
        if (!this.reachable) throw new NotConnected('nobody there');
        this.#line = line;
      },
      receive: async (_sources, sink) => {
        this.sink = sink;
      },
      send: (event, { address }, signal) => this.#send(line, event, address.segments.join('/'), signal),
      probe: async () => {
        if (this.#line !== line) throw new NotConnected('the line is cut');
      },
      quiesce: async () => undefined,
      close: async () => {
        if (this.#line !== line) return;
        this.#line = undefined;
        this.#drop();
      },
    };
  }

  #send(line: Line, event: OutgoingEvent, place: string, signal: AbortSignal): Promise<SendReceipt> {
    if (this.#line !== line) return Promise.reject(new NotConnected('nobody there'));
    const endsLink = this.#watcher.sent(this.#name, event, this.open);
    if (this.closed.has(place)) return Promise.reject(new Transient(`${place} is closed`).concerning('place'));
    if (endsLink) {
      queueMicrotask(() => {
        if (this.#line === line) this.lose();
      });
    }
    return new Promise((resolve, reject) => {
      const end = (finish: () => void): void => {
        const at = this.open.indexOf(send);
        if (at < 0) return;
        this.open.splice(at, 1);
        finish();
      };
      const send: OpenSend = {
        event,
        answer: (said) =>
          end(() => {
            const error = this.#garble(said);
            if (error) reject(error);
            else resolve({ confirmedBy: 'word of mouth' });
          }),
      };
      this.open.push(send);
      signal.addEventListener('abort', () => end(() => reject(new Aborted('time is up'))), { once: true });
    });
  }

  #drop(): void {
    const [first, second] = this.open;
    if (first && !second) this.#watcher.lostAlone(this.#name, first.event);
    for (const send of [...this.open]) send.answer(new Unknown('the line was cut before an answer came'));
  }
}

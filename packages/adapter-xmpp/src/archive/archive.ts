import type { AdapterContext, ReceivedEvent } from '@magpie/contract';
import { NS } from '../codec/stanza/namespaces.ts';
import type { Incoming, Link } from '../link/link.ts';
import type { Intake } from '../receive/intake.ts';
import type { ArchiveReader, Page, Refusal } from './archive-reader.ts';
import type { Cursors, Point } from './cursors.ts';
import { type Held, HeldMessages } from './held-messages.ts';
import { missed } from './missed.ts';
import { Progress } from './progress.ts';
import type { Archived, PageRequest } from './query.ts';

/** What an archive works with. */
export interface ArchiveOptions {
  /** Whose archive it is: our bare JID or a room's. */
  readonly jid: string;
  readonly context: Pick<AdapterContext, 'clock'>;
  readonly reader: ArchiveReader;
  readonly cursors: Cursors;
  readonly intake: Intake;
  /** Age of the oldest messages to read, ms. */
  readonly maxAge: number;
  /** Most messages of one page. */
  readonly pageSize: number;
  /** The link while it is up. */
  link(): Link | undefined;
  /** The event of an archived message; undefined for one that is none. */
  toEvent(archived: Archived): ReceivedEvent | undefined;
  /** A live event with the id that the archive gave it, as far as that is known and trusted now. */
  stamped(event: ReceivedEvent, incoming: Incoming): ReceivedEvent;
  /** Tells that messages may be missing; `stored` is called once that is durable. */
  tellGap(why: string, stored: () => void): void;
}

/** Most ids remembered of messages that the archive has brought: the server's store of undelivered ones brings them again. */
const MOST_SEEN = 20_000;
/** Share of the receive budget that must be free before another page is asked for. */
const ROOM = 0.5;
/** Pause before looking again whether there is room, ms. */
const ROOM_MS = 20;

/**
 * One archive (XEP-0313) and the live messages that it keeps as well. What comes live before the archive has been read up to now
 * waits, so that order holds; afterwards it goes through, and moves the cursor once the log has it.
 */
export class Archive {
  readonly #options: ArchiveOptions;
  readonly #held = new HeldMessages();
  readonly #seen = new Set<string>();
  /** Ids of those on their way into the log. */
  readonly #handed = new Set<string>();
  #progress: Progress;
  /** Counts reasons to read the archive. */
  #reasons = 1;
  /** How many of them have been dealt with. */
  #settled = 0;
  /** There is an archive to have a place in. */
  #exists = true;
  /** Live messages were left to the archive, for want of room to wait. */
  #left = false;

  constructor(options: ArchiveOptions) {
    this.#options = options;
    this.#progress = this.#fresh();
  }

  /** Whether messages may have been missed, and live ones wait. */
  get due(): boolean {
    return this.#settled !== this.#reasons;
  }

  /** Messages may have been missed: what comes live waits until `catchUp` or `release`. */
  begin(): void {
    this.#reasons += 1;
  }

  /** The link is gone: what waits comes again, or is read. */
  lost(): void {
    this.#held.release();
    this.#progress = this.#fresh();
    // The intake drops what is not at the log yet: it must be read again, and the log drops what it has.
    for (const id of this.#handed) this.#seen.delete(id);
    this.#handed.clear();
  }

  /** Takes a live message. */
  take(incoming: Incoming, event: ReceivedEvent): void {
    if (!this.due) this.#pass(incoming, event);
    else if (this.#held.take({ incoming, event })) return;
    else if (this.#brings(event)) {
      this.#left = true;
      incoming.finish();
    } else this.#pass(incoming, event);
  }

  /** Whether reading the archive will come to a live message. */
  #brings(event: ReceivedEvent): boolean {
    const { cursors, jid, context, maxAge } = this.#options;
    const { stamp = Number.POSITIVE_INFINITY } = cursors.get(jid) ?? {};
    const now = context.clock.now();
    return idOf(event) !== undefined && (event.time ?? now) >= Math.max(stamp, now - maxAge);
  }

  /** A live message that is no event has passed. */
  passed(id: string): void {
    if (!this.due && this.#exists) this.#progress.add(this.#now(id))();
  }

  /** Nothing is to be read, for there is no archive: what waits goes on. */
  release(): void {
    this.#exists = false;
    this.#letGo();
  }

  #letGo(): void {
    this.#settled = this.#reasons;
    for (const { incoming, event } of this.#held.release()) this.#pass(incoming, event);
    this.#options.intake.flush();
  }

  /**
   * Reads what was missed and hands it over, then what waits. Resolves to the number of messages read; to undefined when the link
   * is lost meanwhile, or there is a new reason to read. An archive that does not answer leaves a gap, which is told.
   */
  async catchUp(link: Link): Promise<number | undefined> {
    const { link: current, tellGap } = this.#options;
    const reasons = this.#reasons;
    const isOver = (): boolean => current() !== link || reasons !== this.#reasons;
    let read: number | undefined;
    try {
      read = await this.#read(link, isOver);
    } catch (error) {
      if (isOver()) return undefined;
      tellGap(`the archive could not be read: ${String(error)}`, this.#progress.add());
    }
    if (isOver()) return undefined;
    this.#exists = true;
    this.#letGo();
    return read;
  }

  async #read(link: Link, isOver: () => boolean): Promise<number> {
    const { jid, cursors, context, maxAge, tellGap } = this.#options;
    const cursor = cursors.get(jid);
    if (!cursor) return this.#start(await this.#ask(link, { newest: true }, 1));
    const oldest = context.clock.now() - maxAge;
    const ask = (request: Omit<PageRequest, 'max'>): Promise<Page | Refusal> => this.#ask(link, request);
    const again = (): boolean => {
      const left = this.#left;
      this.#left = false;
      return left;
    };
    let read = 0;
    for await (const part of missed(cursor, oldest, { ask, again })) {
      if (isOver()) return read;
      if ('gap' in part) tellGap(part.gap, this.#progress.add());
      else for (const archived of part.messages) if (this.#take(archived)) read += 1;
      this.#options.intake.flush();
    }
    return read;
  }

  /** The first time of all: nothing was missed so far. */
  #start(page: Page | Refusal): number {
    if ('refused' in page) throw new Error(`it answers ${page.refused}`);
    const newest = page.messages.at(-1);
    const waits = newest !== undefined && this.#held.has(this.#is(newest.id));
    if (!waits) this.#progress.add(newest ? pointOf(newest) : { stamp: 0 })();
    return 0;
  }

  /** Asks for a page once there is room for it. */
  async #ask(link: Link, request: Omit<PageRequest, 'max'>, max = this.#options.pageSize): Promise<Page | Refusal> {
    const { reader, jid, intake, context, link: current } = this.#options;
    while (intake.load() > ROOM && current() === link)
      await new Promise<void>((resolve) => void context.clock.timeout(ROOM_MS, resolve));
    return reader.page(link, jid, { ...request, max });
  }

  /** Takes an archived message. False for one that is no event. One that came live as well was said to us now. */
  #take(archived: Archived): boolean {
    const { intake, toEvent, stamped } = this.#options;
    const { id } = archived;
    const done = this.#progress.add({ ...pointOf(archived), read: id });
    const live = this.#held.claim(this.#is(id));
    const event = this.#seen.has(id) ? undefined : live ? stamped(live.event, live.incoming) : toEvent(archived);
    this.#remember(id);
    const finish = (): void => {
      this.#handed.delete(id);
      live?.incoming.finish();
      done();
    };
    if (event) {
      this.#handed.add(id);
      intake.take({ finish, stored: live?.incoming.stored }, event);
    } else finish();
    return event !== undefined;
  }

  /** Whether a message that waits is the one that the archive gave this id. */
  #is =
    (id: string) =>
    ({ event, incoming }: Held): boolean =>
      idOf(this.#options.stamped(event, incoming)) === id;

  /** Hands over a live message, unless the archive has brought it already. */
  #pass(incoming: Incoming, taken: ReceivedEvent): void {
    const event = this.#options.stamped(taken, incoming);
    const id = idOf(event);
    if (id !== undefined && this.#seen.has(id)) {
      incoming.finish();
      return;
    }
    const isStep = id !== undefined && this.#exists && !this.due && !isNotKept(incoming) && !this.#isBehind(event);
    const done = isStep ? this.#progress.add(this.#now(id, event.time)) : undefined;
    const finish = (): void => {
      incoming.finish();
      done?.();
    };
    this.#options.intake.take({ finish, stored: incoming.stored }, event);
  }

  /** What a server delivers late, such as from a session of a killed gateway, is read already. */
  #isBehind({ origin, time = 0 }: ReceivedEvent): boolean {
    const { cursors, jid } = this.#options;
    return origin.delayed !== undefined && time <= (cursors.get(jid)?.stamp ?? 0);
  }

  #remember(id: string): void {
    this.#seen.add(id);
    if (this.#seen.size <= MOST_SEEN) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }

  #now = (id: string, time?: number): Point => ({ id, stamp: time ?? this.#options.context.clock.now() });

  #fresh(): Progress {
    const { cursors, jid } = this.#options;
    return new Progress((point) => {
      const { read } = cursors.get(jid) ?? {};
      cursors.set(jid, { read, ...point });
    });
  }
}

const pointOf = ({ id, stamp }: Archived): Point => ({ id, stamp: Date.parse(stamp) });

const idOf = ({ origin }: ReceivedEvent): string | undefined =>
  typeof origin.stanzaId === 'string' ? origin.stanzaId : undefined;

/** XEP-0334: no archive keeps it, and an id in it is the sender's invention. */
const isNotKept = ({ stanza }: Incoming): boolean =>
  ['no-store', 'no-permanent-store'].some((hint) => stanza.getChild(hint, NS.hints) !== undefined);

import type { AdapterContext, ReceivedEvent } from '@magpie/contract';
import { addressOf } from '../codec/addresses.ts';
import { stanzaIdBy } from '../codec/decode.ts';
import { bareJid } from '../codec/jid.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import type { Archives, XmppConfig } from '../config.ts';
import type { Incoming, Link } from '../link/link.ts';
import type { Intake } from '../receive/intake.ts';
import { stampedEvent } from '../receive/to-event.ts';
import type { Room } from '../rooms/room.ts';
import { Archive } from './archive.ts';
import { ArchiveReader } from './archive-reader.ts';
import { type Cursors, createCursors } from './cursors.ts';
import type { Gaps } from './gaps.ts';
import { lanes } from './lanes.ts';
import { type Archived, resultIn } from './query.ts';

/** What catching up works with. */
export interface CatchUpOptions {
  readonly config: Pick<XmppConfig, 'receiveWindow'>;
  /** Which archives are read. */
  readonly wanted: Archives;
  readonly context: Pick<AdapterContext, 'clock' | 'logger' | 'store' | 'detail' | 'count'>;
  /** Our bare JID. */
  readonly account: string;
  readonly intake: Intake;
  readonly gaps: Gaps;
  /** The link while it is up. */
  link(): Link | undefined;
  room(jid: string): Room | undefined;
  /** The event of a message in the archive of our account or of a room. */
  toEvent(by: string, archived: Archived): ReceivedEvent | undefined;
}

/** Archives read at the same time. */
const LANES = 4;
/** Prosody gives no more at once. */
const PAGE = 50;

const NONE = 'the server keeps no archive (XEP-0313): what is said while the gateway is away may be missing';
const GONE = 'the archive that was there is so no more: what was said meanwhile may be missing';

/**
 * What was said while we were away, from the archives of our account and of the rooms that routes receive from (XEP-0313). All
 * messages pass here, live ones as well, so that each comes once and in the order of its archive. One per connection.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #reader: ArchiveReader;
  readonly #cursors: Cursors;
  readonly #archives = new Map<string, Archive>();
  readonly #inLane = lanes(LANES);
  /** Whether our account has an archive, as the server says after each login. */
  accountHasArchive = false;

  constructor(options: CatchUpOptions) {
    this.#options = options;
    this.#reader = new ArchiveReader(options.account);
    this.#cursors = createCursors(options.context);
  }

  /** Takes up what a former process knew. Called at every connect. */
  load(): Promise<void> {
    return this.#cursors.load();
  }

  /** A new session begins: messages may have been missed everywhere. */
  begin(): void {
    for (const archive of this.#archives.values()) archive.begin();
  }

  /** We ask to be let into a room. */
  entering(room: string): void {
    this.#archives.get(room)?.begin();
  }

  /** The link is gone. */
  lost(): void {
    for (const archive of this.#archives.values()) archive.lost();
  }

  /** Takes what comes from an archive, and what pretends to; false for any other message. */
  hears(message: Element): boolean {
    if (!resultIn(message)) return false;
    if (!this.#reader.take(message)) this.#options.context.count('received-unrelated');
    return true;
  }

  /** Takes a live event. */
  take(incoming: Incoming, event: ReceivedEvent): void {
    const { intake, account } = this.#options;
    const isRoom = event.address.scheme === 'room';
    const jid = isRoom ? bareJid(attribute(incoming.stanza, 'from') ?? '') : account;
    const isKept = (event.kind === 'message' || event.kind === 'reaction') && this.#isWanted(isRoom);
    if (isKept && intake.covers(event.address)) this.#archive(jid).take(incoming, event);
    else intake.take(incoming, event);
  }

  /** A live message that is no event has passed, such as the echo of one of ours. */
  passed(message: Element): void {
    const room = this.#options.room(bareJid(attribute(message, 'from') ?? ''));
    const id = room?.stampsIds && attribute(message, 'type') === 'groupchat' && stanzaIdBy(message, room.jid);
    if (id) this.#archives.get(room.jid)?.passed(id);
  }

  /** Reads what was said to our account, if anything is due. Called once our presence is out. */
  account(link: Link): void {
    const { account } = this.#options;
    this.#catchUp(link, account, this.#isWanted(false), this.accountHasArchive);
  }

  /** Reads what was said in a room that we are in, if anything is due and a route receives from there. */
  room(link: Link, room: Room): void {
    const { intake } = this.#options;
    if (intake.covers(addressOf('room', room.jid)))
      this.#catchUp(link, room.jid, this.#isWanted(true), room.announces(NS.archive), room);
  }

  #isWanted = (isRoom: boolean): boolean => (isRoom ? this.#options.wanted.rooms : this.#options.wanted.account);

  #catchUp(link: Link, jid: string, isWanted: boolean, exists: boolean, room?: Room): void {
    const { gaps, context } = this.#options;
    const archive = this.#archive(jid);
    if (!archive.due) {
      if (room) gaps.absence(room);
      return;
    }
    const part = this.#part(jid);
    if (isWanted && exists) {
      void this.#inLane(() => archive.catchUp(link)).then((read) => {
        if (read !== undefined) context.detail(part, `read up to now: ${read} missed`);
        if (!archive.due) room?.forgetAbsence();
      });
      return;
    }
    if (isWanted) {
      context.detail(part, NONE);
      context.logger.warn({ place: jid }, NONE);
      if (this.#cursors.get(jid)) gaps.of(jid, GONE, () => this.#cursors.set(jid, undefined));
    }
    gaps.open();
    if (room) gaps.absence(room);
    archive.release();
  }

  #part = (jid: string): string => (jid === this.#options.account ? 'archive' : `archive of ${jid}`);

  #archive(jid: string): Archive {
    const known = this.#archives.get(jid);
    if (known) return known;
    const { context, intake, gaps, link, config, wanted, toEvent, room } = this.#options;
    const archive = new Archive({
      ...{ jid, context, intake, link, reader: this.#reader, cursors: this.#cursors, maxAge: wanted.maxAge },
      pageSize: Math.min(PAGE, config.receiveWindow),
      toEvent: (archived) => toEvent(jid, archived),
      stamped: (event, { stanza }) => (room(jid)?.stampsIds ? stampedEvent(event, stanza, jid) : event),
      tellGap: (why, stored) => {
        context.logger.warn({ place: jid, reason: why }, 'messages may be missing');
        context.detail(this.#part(jid), why);
        gaps.of(jid, why, stored);
      },
    });
    this.#archives.set(jid, archive);
    return archive;
  }
}

import { type AdapterContext, type AddressPattern, NotConnected } from '@magpie/contract';
import { bareJid, formatJid } from '../codec/jid.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import type { XmppConfig } from '../config.ts';
import type { Link } from '../link/link.ts';
import { withPatience } from '../patience.ts';
import type { MovedRooms } from './moved-rooms.ts';
import { Room } from './room.ts';

/** Dependencies of the rooms of a connection. */
export interface RoomsOptions {
  readonly config: XmppConfig;
  readonly context: AdapterContext;
  /** The link while it is up. */
  link(): Link | undefined;
  readonly moved: MovedRooms;
  /** Called when we were removed from this room. */
  left(room: string, reason: string): void;
  /** This room will tell of everybody who is there. */
  entering(room: string): void;
  /** It has, and we are in it. */
  entered(room: Room): void;
}

/** Maximum number of rooms kept because of sends; the least recently used one is left first. */
const MOST_SENT = 500;

/**
 * All rooms of a connection: configured ones, rooms of sources, and rooms used by sends. None is joined before `want`
 * or `enter`.
 */
export class Rooms {
  readonly #options: RoomsOptions;
  readonly #rooms = new Map<string, Room>();
  readonly #configured: ReadonlyMap<string, XmppConfig['rooms'][number]>;
  /** Rooms used by sends, most recent last. */
  readonly #sent = new Set<string>();
  /** Rooms that sources name. */
  #named: readonly string[] = [];

  constructor(options: RoomsOptions) {
    this.#options = options;
    this.#configured = new Map(options.config.rooms.map((room) => [room.room, room]));
  }

  get(jid: string): Room | undefined {
    return this.#rooms.get(jid);
  }

  /**
   * Keeps the rooms of sources, the configured ones and those used by sends; leaves all others. Resolves when each room
   * of a source is joined or refused, or has not answered for a while. Rejects with `NotConnected` only when the link
   * is lost meanwhile.
   */
  async want(patterns: readonly AddressPattern[]): Promise<void> {
    const { link, context } = this.#options;
    const named = patterns.flatMap(literalRoom);
    this.#named = named;
    const keep = new Set([...named, ...this.#configured.keys(), ...this.#sent]);
    for (const known of [...this.#rooms.values()]) if (!keep.has(known.jid)) this.#forget(known);
    const before = link();
    const joins = [...keep].map((jid) => ({ jid, decided: this.#room(jid).keep() }));
    const awaited = joins.filter(({ jid }) => named.includes(jid)).map(({ decided }) => decided);
    await withPatience(Promise.all(awaited), context.clock);
    if (link() !== before) throw new NotConnected('the link was lost while rooms were being joined');
  }

  /** Marks a room as used by a send. True when we are in it, so that `enter` is not needed. */
  use(jid: string): boolean {
    if (this.#rooms.get(jid)?.joined !== true) return false;
    this.#sent.delete(jid);
    this.#sent.add(jid);
    return true;
  }

  /** Joins the room to send to. Rejects when it cannot be joined. */
  async enter(jid: string): Promise<void> {
    try {
      await this.#room(jid).join();
    } catch (error) {
      if (!this.#kept(jid)) this.#rooms.delete(jid);
      // Whoever sends to it tells, and tries again.
      if (!this.#kept(jid)) this.#options.context.detail(`room ${jid}`, undefined);
      throw error;
    }
    this.use(jid);
    this.#leaveOldest();
  }

  #kept(jid: string): boolean {
    return this.#sent.has(jid) || this.#configured.has(jid) || this.#named.includes(jid);
  }

  #leaveOldest(): void {
    const [oldest] = this.#sent;
    if (this.#sent.size <= MOST_SENT || oldest === undefined) return;
    this.#sent.delete(oldest);
    const room = this.#rooms.get(oldest);
    if (room && !this.#kept(oldest)) this.#forget(room);
  }

  [Symbol.iterator](): IterableIterator<Room> {
    return this.#rooms.values();
  }

  /** Takes a presence; anything that is not from one of our rooms is ignored. */
  presence(stanza: Element): void {
    this.#rooms.get(bareJid(attribute(stanza, 'from') ?? ''))?.presence(stanza);
  }

  /** Asks every room whether we are still in it. Rejects only when the link is broken. */
  async ping(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#rooms.values()].map((known) => known.ping(signal)));
  }

  /** Before a component's goodbye: its server leaves no room for it. */
  sayGoodbye(): void {
    for (const known of this.#rooms.values()) known.sayGoodbye();
  }

  /** Called when the session is gone, and every membership with it. */
  reset(): void {
    for (const known of this.#rooms.values()) known.reset();
  }

  #room(jid: string): Room {
    const known = this.#rooms.get(jid) ?? this.#create(jid);
    this.#rooms.set(jid, known);
    return known;
  }

  #create(jid: string): Room {
    const { config, context, link, moved, left, entering, entered } = this.#options;
    const configured = this.#configured.get(jid);
    const room: Room = new Room({
      jid,
      nick: configured?.nick ?? config.nick ?? context.gatewayId,
      password: configured?.password?.reveal(),
      create: configured?.create ?? config.createRooms,
      isForgotten: config.mode === 'client',
      clock: context.clock,
      timeout: Math.min(config.timeout, 20_000),
      link,
      detail: (...told) => context.detail(`room ${jid}`, ...told),
      left: (reason) => left(jid, reason),
      entering: () => entering(jid),
      entered: () => entered(room),
      moved: (to) => moved.follow(jid, to, (other) => this.#rooms.has(other)),
      address: () => moved.addressOf(jid),
      count: context.count,
    });
    return room;
  }

  #forget(unwanted: Room): void {
    unwanted.leave();
    this.#rooms.delete(unwanted.jid);
  }
}

/** The room of a source pattern without captures. A pattern with captures receives from all joined rooms. */
function literalRoom({ scheme, segments }: AddressPattern): string[] {
  const literals = segments.flatMap((segment) => (segment.type === 'literal' ? [segment.value] : []));
  const [local = '', domain = ''] = literals;
  return scheme === 'room' && literals.length === segments.length ? [formatJid({ local, domain })] : [];
}

import type { AdapterContext, AddressPattern } from '@magpie/contract';
import type { RoomConfig, XmppConfig } from './config.ts';
import { bareJid, formatJid } from './jid.ts';
import { attribute, type Element } from './library.ts';
import { createRoom, type Room } from './room.ts';
import type { Session } from './session.ts';

/** All rooms of a connection: the configured ones, those of sources, and those that something was sent to. */
export interface Rooms {
  get(jid: string): Room | undefined;
  /** Joins the rooms that sources name and resolves when all are joined; the other configured rooms are joined on the side. */
  want(patterns: readonly AddressPattern[]): Promise<void>;
  /** The room to send to, joined. Rejects when it cannot be joined. */
  enter(jid: string): Promise<Room>;
  /** Takes a presence; anything that is not from one of our rooms is ignored. */
  presence(stanza: Element): void;
  ping(signal: AbortSignal): Promise<void>;
  reset(): void;
}

export interface RoomsOptions {
  readonly config: XmppConfig;
  readonly context: AdapterContext;
  session(): Session | undefined;
  /** We have left this room without wanting to. */
  left(room: string, reason: string): void;
}

export function createRooms(options: RoomsOptions): Rooms {
  const { config } = options;
  const rooms = new Map<string, Room>();
  const configured = new Map(config.rooms.map((room) => [room.room, room]));
  const sent = new Set<string>();
  const room = (jid: string): Room => {
    const known = rooms.get(jid) ?? roomFor(options, jid, configured.get(jid));
    rooms.set(jid, known);
    return known;
  };
  const forget = (unwanted: Room): void => {
    unwanted.leave();
    rooms.delete(unwanted.jid);
  };
  return {
    get: (jid) => rooms.get(jid),
    async want(patterns) {
      const named = patterns.flatMap(literalRoom);
      const keep = new Set([...named, ...configured.keys(), ...sent]);
      for (const known of [...rooms.values()]) if (!keep.has(known.jid)) forget(known);
      for (const jid of keep) if (!named.includes(jid)) joinAside(options, room(jid));
      await Promise.all(named.map((jid) => room(jid).join()));
    },
    async enter(jid) {
      sent.add(jid);
      const target = room(jid);
      if (!target.joined) await target.join();
      return target;
    },
    presence: (stanza) => rooms.get(bareJid(attribute(stanza, 'from') ?? ''))?.presence(stanza),
    ping: async (signal) => void (await Promise.all([...rooms.values()].map((known) => known.ping(signal)))),
    reset: () => {
      for (const known of rooms.values()) known.reset();
    },
  };
}

function roomFor(
  { config, context, session, left }: RoomsOptions,
  jid: string,
  configured: RoomConfig | undefined,
): Room {
  return createRoom({
    jid,
    nick: configured?.nick ?? config.nick ?? context.gatewayId,
    password: configured?.password?.reveal(),
    clock: context.clock,
    timeout: Math.min(config.timeout, 20_000),
    session,
    detail: (state) => context.detail(`room ${jid}`, state),
    left: (reason) => left(jid, reason),
  });
}

/** A room that no source waits for: its state shows in the details, and sending to it tries again. */
function joinAside({ context }: RoomsOptions, room: Room): void {
  room.join().catch((error: unknown) => {
    context.logger.warn({ room: room.jid, error: String(error) }, 'cannot join a room that routes send to');
  });
}

/** The room of a source pattern without captures. A pattern with captures receives from whatever rooms are joined. */
function literalRoom({ scheme, segments }: AddressPattern): string[] {
  const literals = segments.flatMap((segment) => (segment.type === 'literal' ? [segment.value] : []));
  const [local = '', domain = ''] = literals;
  return scheme === 'room' && literals.length === segments.length ? [formatJid({ local, domain })] : [];
}

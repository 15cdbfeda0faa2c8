import { type AdapterContext, type AddressPattern, type Clock, NotConnected } from '@magpie/contract';
import { bareJid, formatJid } from '../codec/jid.ts';
import type { RoomConfig, XmppConfig } from '../config.ts';
import { attribute, type Element } from '../link/library.ts';
import type { Session } from '../session/session.ts';
import { createRoom, type Room } from './room.ts';

/** All rooms of a connection: the configured ones, those of sources, and those that something was sent to. */
export interface Rooms {
  get(jid: string): Room | undefined;
  /**
   * Keeps the rooms that sources name, the configured ones, and those that something was sent to; leaves all others.
   * Resolves when each room of a source is joined or refused, or has not answered for a while. Rejects with
   * `NotConnected` only when the link is lost meanwhile.
   */
  want(patterns: readonly AddressPattern[]): Promise<void>;
  /** The room to send to, joined. Rejects when it cannot be joined. */
  enter(jid: string): Promise<Room>;
  /** Takes a presence; anything that is not from one of our rooms is ignored. */
  presence(stanza: Element): void;
  ping(signal: AbortSignal): Promise<void>;
  reset(): void;
}

/** What the rooms of a connection share. */
export interface RoomsOptions {
  readonly config: XmppConfig;
  readonly context: AdapterContext;
  session(): Session | undefined;
  /** We have left this room without wanting to. */
  left(room: string, reason: string): void;
}

/** The rooms of a connection; none is joined before `want` or `enter`. No I/O. */
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
      const session = options.session();
      const joins = [...keep].map((jid) => ({ jid, decided: keepRoom(options, room(jid)) }));
      const awaited = joins.filter(({ jid }) => named.includes(jid)).map(({ decided }) => decided);
      await atMost(PATIENCE_MS, Promise.all(awaited), options.context.clock);
      if (options.session() !== session) throw new NotConnected('the link was lost while rooms were being joined');
    },
    async enter(jid) {
      const target = room(jid);
      if (!target.joined) await target.join();
      sent.add(jid);
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

async function keepRoom({ context }: RoomsOptions, room: Room): Promise<void> {
  await room.keep();
  if (!room.joined) context.logger.warn({ place: room.jid }, 'a room is not joined at present; the details say why');
}

/** A silent room service holds up everything else on the link no longer than this, ms. */
const PATIENCE_MS = 5_000;

/** Resolves with the work, or after so many ms without it. */
async function atMost(ms: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.timeout(ms, resolve);
  await Promise.race([work, promise]);
  cancel();
}

/** The room of a source pattern without captures. A pattern with captures receives from whatever rooms are joined. */
function literalRoom({ scheme, segments }: AddressPattern): string[] {
  const literals = segments.flatMap((segment) => (segment.type === 'literal' ? [segment.value] : []));
  const [local = '', domain = ''] = literals;
  return scheme === 'room' && literals.length === segments.length ? [formatJid({ local, domain })] : [];
}

import type { ReceivedEvent } from '@magpie/contract';
import { addressOf } from '../codec/addresses.ts';
import { bareJid, normalJid, resourceOf } from '../codec/jid.ts';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import { occupantOf } from '../codec/stanza/muc.ts';
import { presentSince, readPresence } from '../codec/stanza/presence.ts';
import type { Present } from './presence-board.ts';

/** What a presence event is called, by its `type`. */
export const PRESENCE = { available: 'available', unavailable: 'unavailable' } as const;

/** Who is meant by a presence of somebody, and how they are; `now` in ms since the epoch. */
export function presentBy(stanza: Element, inRoom: boolean, now: number): Present {
  const jid = normalJid(attribute(stanza, 'from') ?? '');
  return { jid, inRoom, state: readPresence(stanza), since: presentSince(stanza) ?? now };
}

/** The event of somebody who has left without a word, as a new session finds out. */
export const leftEvent = ({ jid, inRoom }: Present): ReceivedEvent =>
  presenceEvent(xml('presence', { from: jid, type: 'unavailable' }), inRoom);

/**
 * The event of a presence: how somebody is from now on, as JSON. Of a room's occupant it belongs to the room, of anybody else to
 * the bare JID.
 * @param stanza a presence without a type or of type `unavailable`.
 */
export function presenceEvent(stanza: Element, inRoom: boolean): ReceivedEvent {
  const from = attribute(stanza, 'from') ?? '';
  const state = readPresence(stanza);
  const since = presentSince(stanza);
  const occupant = inRoom ? occupantOf(stanza) : undefined;
  const resource = resourceOf(from);
  const to = attribute(stanza, 'to');
  const place = inRoom ? { room: bareJid(from), nick: resource ?? '' } : {};
  return {
    address: addressOf(inRoom ? 'room' : 'jid', bareJid(from)),
    key: normalJid(from),
    kind: 'presence',
    type: state.available ? PRESENCE.available : PRESENCE.unavailable,
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(state)),
    ...(since === undefined ? {} : { time: since }),
    headers: [],
    via: [],
    origin: {
      from,
      stanzaType: attribute(stanza, 'type') ?? 'available',
      replay: false,
      ...(to === undefined ? {} : { to }),
      ...(resource === undefined || inRoom ? {} : { resource }),
      ...place,
      ...occupant,
    },
  };
}

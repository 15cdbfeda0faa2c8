import { NotConnected } from '@magpie/contract';
import { originId } from '../codec/decode.ts';
import { bareJid, normalJid } from '../codec/jid.ts';
import type { ConnectionState } from '../connection-state.ts';
import { stanzaError } from '../errors.ts';
import { attribute, type Element } from '../link/library.ts';
import type { Incoming } from '../session/session-state.ts';
import { receivedEvent, type Surroundings } from './to-event.ts';

/** Takes a message or presence of the session: presence moves rooms, echoes and refusals settle sends, the rest may be an event. */
export function takeStanza(state: ConnectionState, incoming: Incoming): void {
  const element = incoming.stanza;
  const event =
    element.name === 'message' && !confirms(state, element) ? receivedEvent(incoming, surroundings(state)) : undefined;
  if (element.name === 'presence') state.rooms.presence(element);
  if (event) state.intake.take(incoming, event);
  else incoming.finish();
}

const surroundings = ({ config, accountStampsIds, rooms }: ConnectionState): Surroundings => ({
  account: normalJid(config.jid),
  accountStampsIds,
  room: (jid) => rooms.get(jid),
});

/** Whether a message is about one of ours: the room's echo of it, or its refusal. Then it is no event. */
function confirms({ sends, rooms }: ConnectionState, message: Element): boolean {
  const from = attribute(message, 'from') ?? '';
  const place = bareJid(from);
  const type = attribute(message, 'type');
  const id = (type === 'error' ? undefined : originId(message)) ?? attribute(message, 'id') ?? '';
  const room = rooms.get(place);
  if (type === 'error') {
    const error = stanzaError(message);
    if (room && error instanceof NotConnected) room.expelled('the room has lost us');
    return sends.settle(id, place, error);
  }
  if (type !== 'groupchat' || from !== room?.occupantJid || !sends.knows(id, place)) return false;
  sends.settle(id, place);
  return true;
}

import { bareJid, resourceOf } from '../codec/jid.ts';
import { NS } from '../codec/namespaces.ts';
import { attribute, type Element } from '../link/library.ts';

/** Somebody in a room, as the room's presence tells it. */
export interface Occupant {
  readonly affiliation: string;
  readonly role: string;
  /** Bare JID, in rooms that show it to us. */
  readonly realJid?: string;
  readonly occupantId?: string;
}

/** Who is in a room. */
export interface Occupants {
  /** Takes in a presence of the room that is no error. */
  update(presence: Element): void;
  /**
   * The sender of a message: by nick, but only when the message carries the same occupant id as the presence did. A nick
   * may change hands between two stanzas (XEP-0421).
   */
  senderOf(message: Element): Occupant | undefined;
  clear(): void;
}

/** Nobody is in the room yet. */
export function createOccupants(): Occupants {
  const byNick = new Map<string, Occupant>();
  return {
    update(presence) {
      const nick = resourceOf(attribute(presence, 'from') ?? '');
      if (nick === undefined) return;
      const occupant = attribute(presence, 'type') === 'unavailable' ? undefined : occupantOf(presence);
      if (occupant) byNick.set(nick, occupant);
      else byNick.delete(nick);
    },
    senderOf(message) {
      const occupant = byNick.get(resourceOf(attribute(message, 'from') ?? '') ?? '');
      const given = occupantIdOf(message);
      const contradicted = occupant?.occupantId !== undefined && given !== undefined && given !== occupant.occupantId;
      return contradicted ? undefined : occupant;
    },
    clear: () => byNick.clear(),
  };
}

function occupantOf(presence: Element): Occupant | undefined {
  const item = presence.getChild('x', NS.mucUser)?.getChild('item');
  if (!item) return undefined;
  const jid = attribute(item, 'jid');
  const occupantId = occupantIdOf(presence);
  return {
    affiliation: attribute(item, 'affiliation') ?? 'none',
    role: attribute(item, 'role') ?? 'none',
    ...(jid === undefined ? {} : { realJid: bareJid(jid) }),
    ...(occupantId === undefined ? {} : { occupantId }),
  };
}

const occupantIdOf = (stanza: Element): string | undefined => {
  const element = stanza.getChild('occupant-id', NS.occupantId);
  return element && attribute(element, 'id');
};

/** Status codes of a room's presence (XEP-0045 §15.6). */
export const statusCodes = (presence: Element): ReadonlySet<string> =>
  new Set(
    (presence.getChild('x', NS.mucUser)?.getChildren('status') ?? []).map((status) => attribute(status, 'code') ?? ''),
  );

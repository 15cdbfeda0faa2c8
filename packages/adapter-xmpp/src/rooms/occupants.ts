import { resourceOf } from '../codec/jid.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import { type Occupant, occupantIdOf, occupantOf } from '../codec/stanza/muc.ts';

/**
 * Memory limit for the occupants of one room, in characters: about ten thousand occupants, as their number is up to the
 * room.
 */
const MOST = 4 * 1024 * 1024;
/** Estimated memory of an occupant besides its texts. */
const OVERHEAD = 100;

/** The occupants of a room, within a memory limit. An unknown occupant has no affiliation. */
export class Occupants {
  readonly #byNick = new Map<string, Occupant>();
  #size = 0;

  /** Records a presence that is not an error. False when there is no memory for another occupant. */
  update(presence: Element): boolean {
    const nick = resourceOf(attribute(presence, 'from') ?? '');
    if (nick === undefined) return true;
    const known = this.#byNick.get(nick);
    if (known) this.#size -= sizeOf(nick, known);
    this.#byNick.delete(nick);
    const occupant = attribute(presence, 'type') === 'unavailable' ? undefined : occupantOf(presence);
    if (!occupant) return true;
    const size = sizeOf(nick, occupant);
    if (this.#size + size > MOST) return false;
    this.#size += size;
    this.#byNick.set(nick, occupant);
    return true;
  }

  /** Number of occupants, including ourselves. */
  get count(): number {
    return this.#byNick.size;
  }

  /** Whether somebody has this nick. */
  has(nick: string): boolean {
    return this.#byNick.has(nick);
  }

  /**
   * The sender of a message: by nick, but only when the message carries the same occupant id as the presence did. A nick
   * may change hands between two stanzas (XEP-0421).
   */
  senderOf(message: Element): Occupant | undefined {
    const occupant = this.#byNick.get(resourceOf(attribute(message, 'from') ?? '') ?? '');
    const given = occupantIdOf(message);
    const contradicted = occupant?.occupantId !== undefined && given !== undefined && given !== occupant.occupantId;
    return contradicted ? undefined : occupant;
  }

  /** Who has this identity in the room, under whatever nick (XEP-0421). */
  withId(occupantId: string | undefined): Occupant | undefined {
    if (occupantId === undefined) return undefined;
    return [...this.#byNick.values()].find((occupant) => occupant.occupantId === occupantId);
  }

  clear(): void {
    this.#byNick.clear();
    this.#size = 0;
  }
}

const sizeOf = (nick: string, { affiliation, role, realJid = '', occupantId = '' }: Occupant): number =>
  OVERHEAD + nick.length + affiliation.length + role.length + realJid.length + occupantId.length;

import { resourceOf } from '../codec/jid.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import { type Occupant, occupantIdOf, occupantOf } from '../codec/stanza/muc.ts';

/** Memory for the occupants of one room, in characters: some ten thousand of them. A room decides how many there are. */
const MOST = 4 * 1024 * 1024;
/** What an occupant takes besides its texts. */
const OVERHEAD = 100;

/** Who is in a room, as far as memory permits. Who is not known here may do nothing that needs an affiliation. */
export class Occupants {
  readonly #byNick = new Map<string, Occupant>();
  #size = 0;

  /** Takes in a presence of the room that is no error. False when there is no room left for another occupant. */
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

  /** How many there are, ourselves included. */
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

  clear(): void {
    this.#byNick.clear();
    this.#size = 0;
  }
}

const sizeOf = (nick: string, { affiliation, role, realJid = '', occupantId = '' }: Occupant): number =>
  OVERHEAD + nick.length + affiliation.length + role.length + realJid.length + occupantId.length;

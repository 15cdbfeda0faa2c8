import { attribute, type Element } from '../codec/element.ts';
import { resourceOf } from '../codec/jid.ts';
import { type Occupant, occupantIdOf, occupantOf } from '../codec/muc.ts';

/** Who is in a room. */
export class Occupants {
  readonly #byNick = new Map<string, Occupant>();

  /** Takes in a presence of the room that is no error. */
  update(presence: Element): void {
    const nick = resourceOf(attribute(presence, 'from') ?? '');
    if (nick === undefined) return;
    const occupant = attribute(presence, 'type') === 'unavailable' ? undefined : occupantOf(presence);
    if (occupant) this.#byNick.set(nick, occupant);
    else this.#byNick.delete(nick);
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
  }
}

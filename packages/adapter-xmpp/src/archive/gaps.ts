import { possibleGap } from '@magpie/adapter-kit';
import { addressOf, nodeAddress } from '../codec/addresses.ts';
import type { NodePlace } from '../nodes/existence.ts';
import type { Intake } from '../receive/intake.ts';
import type { Room } from '../rooms/room.ts';

/** Says where messages may be missing. One per connection. */
export class Gaps {
  readonly #account: string;
  readonly #intake: Intake;
  #session: (() => void) | undefined;
  /** Part of what a lost session may have missed is in no archive. */
  #isOpen = false;

  /** @param account our bare JID. */
  constructor(account: string, intake: Intake) {
    this.#account = account;
    this.#intake = intake;
  }

  /** A new session begins. */
  reset(): void {
    this.#isOpen = false;
    this.#session = undefined;
  }

  /**
   * A session was lost with what was on its way. Told as soon as it is clear that an archive does not close the gap.
   * @param stored called once the notice is durable.
   */
  session(why: string, stored: () => void): void {
    const tell = (): void => {
      const origin = { from: this.#account, stanzaType: 'normal', replay: false };
      this.#intake.notice(possibleGap({ address: addressOf('jid', this.#account), origin }, why), stored);
    };
    if (this.#isOpen) tell();
    else this.#session = tell;
  }

  /** What was missed somewhere is in no archive. */
  open(): void {
    this.#isOpen = true;
    this.#session?.();
    this.#session = undefined;
  }

  /** Tells of a gap in what we have of our account or of a room. */
  of(jid: string, why: string, stored: () => void): void {
    const isAccount = jid === this.#account;
    const place = isAccount ? {} : { room: jid };
    const origin = { from: jid, ...place, stanzaType: isAccount ? 'normal' : 'groupchat', replay: false };
    this.#intake.notice(possibleGap({ address: addressOf(isAccount ? 'jid' : 'room', jid), origin }, why), stored);
  }

  /** Tells of a gap in what we have of a node. */
  ofNode({ service, node }: NodePlace, why: string, stored: () => void): void {
    const origin = { from: service, node, stanzaType: 'normal', replay: false };
    this.#intake.notice(possibleGap({ address: nodeAddress(service, node), origin }, why), stored);
  }

  /** Tells that we were absent from a room, unless already stored. */
  absence(room: Room): void {
    const { absence, jid } = room;
    if (absence === undefined || !this.#intake.covers(addressOf('room', jid))) return;
    this.of(jid, `${absence}, and we are in it again: messages may be missing`, () => room.forgetAbsence());
  }
}

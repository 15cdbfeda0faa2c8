import type { AdapterContext } from '@magpie/contract';
import { attribute, type Element } from '../codec/stanza/element.ts';
import type { Incoming, Link } from '../link/link.ts';
import type { Intake } from '../receive/intake.ts';
import { PresenceBoard, type Present } from './presence-board.ts';
import { leftEvent, presenceEvent, presentBy } from './presence-event.ts';

/** How long people on other servers may take to answer that they are there, ms. */
const SETTLE_MS = 3_000;

/** Where presences go. */
export interface WhoIsThereOptions {
  readonly context: Pick<AdapterContext, 'clock' | 'store'>;
  readonly intake: Intake;
  /** The link while it is up. */
  link(): Link | undefined;
}

/** Who is there of the people and occupants that we hear of; a change is an event where a route wants it. One per connection. */
export class WhoIsThere {
  readonly #options: WhoIsThereOptions;
  readonly #board: PresenceBoard;
  /** The server has been asked, in this session, who of the list is there. */
  #asked = false;

  constructor(options: WhoIsThereOptions) {
    this.#options = options;
    this.#board = new PresenceBoard(options.context.store);
  }

  /** Takes up what a former process knew. */
  load(): Promise<void> {
    return this.#board.load();
  }

  all(): Iterable<Present> {
    return this.#board.all();
  }

  /** A new session begins, or a room is entered anew: everybody there is told of again. */
  begin(room?: string): void {
    this.#board.begin(room);
    if (room === undefined) this.#asked = false;
  }

  /** A room has told of everybody: who was not among them has left. */
  complete(room: string): void {
    this.#reportLeft(room);
  }

  /**
   * After our presence a server tells who of the list is there, before it answers what was asked behind that; other servers
   * take a moment more. Nobody else is there any more. Called once our presence is out; does it once per session.
   */
  findWhoLeft(link: Link): void {
    if (this.#asked || this.#board.unconfirmed().length === 0) return;
    this.#asked = true;
    const { context } = this.#options;
    const told = (): void => {
      context.clock.timeout(SETTLE_MS, () => {
        if (this.#options.link() === link) this.#reportLeft();
      });
    };
    link.ping().then(told, () => undefined);
  }

  /** Takes a presence without a type or of type `unavailable`. What is only told again is no event. */
  take({ stanza, finish, leave }: Incoming, inRoom: boolean): void {
    if (leave) {
      leave();
      return;
    }
    const { intake, context } = this.#options;
    const present = presentBy(stanza, inRoom, context.clock.now());
    if (!this.#board.take(present)) {
      finish();
      return;
    }
    const event = presenceEvent(stanza, inRoom);
    intake.take({ finish: () => this.#stored(present, event, finish) }, event);
  }

  #reportLeft(room?: string): void {
    const { intake } = this.#options;
    for (const present of this.#board.unconfirmed(room)) {
      const event = leftEvent(present);
      this.#board.take({ ...present, state: { available: false } });
      if (intake.covers(event.address, 'presence'))
        intake.notice(event, () => this.#stored(present, event, () => undefined));
    }
  }

  /** What is kept is never ahead of the log. */
  #stored(present: Present, { address }: ReturnType<typeof presenceEvent>, finish: () => void): void {
    finish();
    // A log that has failed ends the process; nothing is to be done about it here.
    if (this.#options.intake.covers(address, 'presence')) this.#board.keep(present.jid).catch(() => undefined);
  }
}

/** Whether a presence says how somebody is, and is not about following us or an error. */
export function saysHowSomebodyIs(presence: Element): boolean {
  const type = attribute(presence, 'type');
  return type === undefined || type === 'unavailable';
}

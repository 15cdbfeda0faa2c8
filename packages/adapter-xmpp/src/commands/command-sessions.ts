import { randomBytes } from 'node:crypto';
import type { Clock } from '@magpie/contract';
import { bareJid } from '../codec/jid.ts';
import type { Element } from '../codec/stanza/element.ts';
import type { Command } from './command-list.ts';

/** A command that somebody has begun. */
export interface CommandSession {
  readonly id: string;
  /** Full JID of who has begun it: nobody else goes on with it. */
  readonly owner: string;
  /** Name of the contact. */
  readonly contact: string;
  readonly command: Command;
  /** The request that its result answers, once the command runs. */
  running: Element | undefined;
}

/** Sessions at a time, and those of one person. */
const MOST = 1_000;
const MOST_EACH = 10;
/** How long a form may be left alone, ms. */
const IDLE_MS = 10 * 60_000;

interface Kept extends CommandSession {
  /** The owner's bare JID. */
  readonly person: string;
  expires(): void;
}

/** The commands that people have begun, in memory: a form that is open when the gateway stops is begun anew. One per connection. */
export class CommandSessions {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Begins one; where there are too many, of one person or in all, the oldest of their forms makes room. Undefined when all of them
   * run.
   * @param owner full JID.
   */
  begin(owner: string, contact: string, command: Command): CommandSession | undefined {
    const person = bareJid(owner);
    const own = [...this.#sessions.values()].filter((each) => each.person === person);
    const oldest = own.find(({ running }) => running === undefined);
    if (own.length >= MOST_EACH && !oldest) return undefined;
    const room = own.length >= MOST_EACH ? oldest : this.#surplus();
    if (room) this.end(room.id);
    if (this.#sessions.size >= MOST) return undefined;
    const id = randomBytes(18).toString('base64url');
    const session: Kept = { id, owner, person, contact, command, running: undefined, expires: () => undefined };
    this.#sessions.set(id, session);
    this.keep(session, IDLE_MS, () => undefined);
    return session;
  }

  /** The form that was touched longest ago, when there are too many sessions: what nobody goes on with locks nobody out. */
  #surplus(): Kept | undefined {
    if (this.#sessions.size < MOST) return undefined;
    return [...this.#sessions.values()].find(({ running }) => running === undefined);
  }

  /** The session of that id, if it is this person's. @param owner full JID. */
  get(id: string, owner: string): CommandSession | undefined {
    const session = this.#sessions.get(id);
    return session?.owner === owner ? session : undefined;
  }

  /** Ends a session after a time, in ms, unless it has ended by then; `over` is called then. */
  keep({ id }: CommandSession, time: number, over: () => void): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    session.expires();
    session.expires = this.#clock.timeout(time, () => {
      this.#sessions.delete(id);
      over();
    });
  }

  /** The session was touched: its form may be left alone for a while again. */
  touch(session: CommandSession): void {
    const kept = this.#sessions.get(session.id);
    if (!kept) return;
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, kept);
    this.keep(session, IDLE_MS, () => undefined);
  }

  /** False when it had ended already. */
  end(id: string): boolean {
    this.#sessions.get(id)?.expires();
    return this.#sessions.delete(id);
  }

  /** The gateway stops. */
  clear(): void {
    for (const id of [...this.#sessions.keys()]) this.end(id);
  }
}

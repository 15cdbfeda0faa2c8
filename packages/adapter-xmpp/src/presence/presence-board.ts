import type { ConnectionStore } from '@magpie/contract';
import { bareJid } from '../codec/jid.ts';
import type { PresenceState } from '../codec/stanza/presence.ts';

/** Somebody who is there. */
export interface Present {
  /** Full JID: a client of somebody, or a room with a nick. */
  readonly jid: string;
  readonly inRoom: boolean;
  readonly state: PresenceState;
  /** ms since the epoch. */
  readonly since: number;
}

/** How many are remembered; a room or a domain decides how many there are. */
const MOST = 50_000;

const KEY = 'present ';

interface Entry extends Present {
  /** Whether this session has heard of it. */
  confirmed: boolean;
}

/**
 * Who is there, as the server has told us. A server tells of everybody again after each login, but not of those who have left
 * meanwhile: what is not told again has gone. What routes want of it is kept in the log, so that also a new process knows who has
 * gone. One per connection.
 */
export class PresenceBoard {
  readonly #store: ConnectionStore;
  readonly #present = new Map<string, Entry>();
  #loaded: Promise<void> | undefined;

  constructor(store: ConnectionStore) {
    this.#store = store;
  }

  /** Takes up what a former process knew. Called at every connect; reads once. */
  load(): Promise<void> {
    this.#loaded ??= this.#read();
    return this.#loaded;
  }

  /** Everybody who is there. */
  all(): Iterable<Present> {
    return this.#present.values();
  }

  /** Takes what was told about somebody. False when it was only told again. */
  take(present: Present): boolean {
    const { jid, state } = present;
    const known = this.#present.get(jid);
    // Prosody tells of everybody in the list who is away, at every login.
    if (!state.available) return this.#present.delete(jid);
    if (known) known.confirmed = true;
    if (known && isSame(known.state, state)) return false;
    if (known || this.#present.size < MOST) this.#present.set(jid, { ...present, confirmed: true });
    return true;
  }

  /** Keeps how somebody is. To be called when the event of it is stored: what is kept is never ahead of that. */
  async keep(jid: string): Promise<void> {
    const entry = this.#present.get(jid);
    const value = entry && JSON.stringify({ ...entry, confirmed: undefined });
    await this.#store.put(new Map([[KEY + jid, value]]));
  }

  /** A new session begins, or a room is entered anew: everybody there is told of again. */
  begin(room?: string): void {
    for (const entry of this.#of(room)) entry.confirmed = false;
  }

  /** Who has not been told of since `begin`: once everybody was told of, they have left. */
  unconfirmed(room?: string): readonly Present[] {
    return this.#of(room).filter(({ confirmed }) => !confirmed);
  }

  /** Those in a room, or those in none. */
  #of(room: string | undefined): readonly Entry[] {
    const all = [...this.#present.values()];
    return all.filter(({ jid, inRoom }) => (room === undefined ? !inRoom : inRoom && bareJid(jid) === room));
  }

  async #read(): Promise<void> {
    try {
      for (const [key, value] of await this.#store.entries()) {
        if (!key.startsWith(KEY)) continue;
        const present: Present = JSON.parse(value);
        this.#present.set(present.jid, { ...present, confirmed: false });
      }
    } catch (error) {
      this.#loaded = undefined;
      throw error;
    }
  }
}

const isSame = (a: PresenceState, b: PresenceState): boolean =>
  a.available === b.available && a.show === b.show && a.status === b.status && a.priority === b.priority;

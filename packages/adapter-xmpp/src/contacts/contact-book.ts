import type { ConnectionStore } from '@magpie/contract';
import { escapeLocal, unescapeLocal } from '../codec/jid.ts';
import type { PresenceState } from '../codec/stanza/presence.ts';

/** One of our addresses as people see it. */
export interface Contact {
  /** As the routes write it; its address is this, escaped and in lower case. */
  readonly name: string;
  readonly presence: PresenceState;
  /** Bare JIDs of those who follow it. */
  readonly followers: ReadonlySet<string>;
}

/** Contacts and their followers that are kept, so that strangers cannot fill the memory. */
const MOST_CONTACTS = 100_000;
const MOST_FOLLOWERS = 1_000_000;

const CONTACT = 'contact ';
const FOLLOWER = 'follower ';

interface Kept {
  name: string;
  presence: PresenceState;
  readonly followers: Set<string>;
}

/** The local part of a contact's address. */
export const localOf = (name: string): string => escapeLocal(name).toLowerCase();

/**
 * Who our contacts are, how they are and who follows them. A server keeps none of that for a component: it is kept in the log,
 * and what a call has changed is durable when it resolves. One per connection.
 */
export class ContactBook {
  readonly #store: ConnectionStore;
  readonly #byLocal = new Map<string, Kept>();
  #followers = 0;
  #loaded: Promise<void> | undefined;

  constructor(store: ConnectionStore) {
    this.#store = store;
  }

  /** Takes up what a former process knew. Called at every connect; reads once. */
  load(): Promise<void> {
    this.#loaded ??= this.#read();
    return this.#loaded;
  }

  /** By the local part of an address. */
  get(local: string): Contact | undefined {
    return this.#byLocal.get(local);
  }

  all(): IterableIterator<[local: string, contact: Contact]> {
    return this.#byLocal.entries();
  }

  /** The name of the contact that has this local part; of an unknown one what it would be. */
  nameOf(local: string): string {
    return this.#byLocal.get(local)?.name ?? unescapeLocal(local);
  }

  /**
   * A contact is there, or how it is has changed.
   * @throws RangeError when there are too many.
   */
  async setPresence(name: string, presence: PresenceState): Promise<Contact> {
    const local = localOf(name);
    const known = this.#byLocal.get(local);
    if (!known && this.#byLocal.size >= MOST_CONTACTS) throw new RangeError(`more than ${MOST_CONTACTS} contacts`);
    const contact = known ?? { name, presence, followers: new Set() };
    Object.assign(contact, { name, presence });
    this.#byLocal.set(local, contact);
    await this.#put(CONTACT + local, JSON.stringify({ name, presence }));
    return contact;
  }

  /** Somebody follows a contact from now on; false when that cannot be kept. */
  async follow(local: string, person: string): Promise<boolean> {
    const contact = this.#byLocal.get(local);
    if (!contact) return false;
    if (contact.followers.has(person)) return true;
    if (this.#followers >= MOST_FOLLOWERS) return false;
    contact.followers.add(person);
    this.#followers++;
    await this.#put(`${FOLLOWER}${local} ${person}`, '1');
    return true;
  }

  /** Somebody follows it no more. */
  async unfollow(local: string, person: string): Promise<void> {
    if (this.#byLocal.get(local)?.followers.delete(person)) this.#followers--;
    await this.#put(`${FOLLOWER}${local} ${person}`, undefined);
  }

  async #read(): Promise<void> {
    try {
      const entries = await this.#store.entries();
      for (const [key, value] of entries) if (key.startsWith(CONTACT)) this.#readContact(key, value);
      for (const key of entries.keys()) if (key.startsWith(FOLLOWER)) this.#readFollower(key);
    } catch (error) {
      this.#loaded = undefined;
      throw error;
    }
  }

  #readContact(key: string, value: string): void {
    const { name, presence }: Pick<Kept, 'name' | 'presence'> = JSON.parse(value);
    this.#byLocal.set(key.slice(CONTACT.length), { name, presence, followers: new Set() });
  }

  /** Neither a local part nor a bare JID has a blank in it. */
  #readFollower(key: string): void {
    const [local = '', person = ''] = key.slice(FOLLOWER.length).split(' ');
    const contact = this.#byLocal.get(local);
    if (!contact || contact.followers.has(person)) return;
    contact.followers.add(person);
    this.#followers++;
  }

  #put(key: string, value: string | undefined): Promise<void> {
    return this.#store.put(new Map([[key, value]]));
  }
}

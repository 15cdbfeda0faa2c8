import { bareJid, splitJid } from '../codec/jid.ts';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import { errorAnswer } from '../codec/stanza/iq.ts';
import { type PresenceState, presenceElement } from '../codec/stanza/presence.ts';
import { type Contact, type ContactBook, localOf } from './contact-book.ts';
import { informationAbout } from './information.ts';
import type { Paced } from './paced.ts';

/** What the contacts of a component need. */
export interface ContactsOptions {
  /** The domain of the component. */
  readonly domain: string;
  readonly book: ContactBook;
  readonly paced: Paced;
  /** Whether a bare JID may follow our contacts. */
  mayFollow(person: string): boolean;
  /** Sends without waiting; does nothing while the link is down. */
  post(stanza: Element): void;
  /** What was to be kept cannot be: the log has failed. */
  failed(error: unknown): void;
}

/**
 * The addresses of a component as people have them in their lists (RFC 6121 §3, §4): who may follow them, who is told when
 * they come and go. The server does none of that for a component, and tells nobody when it is cut off: everything is told again
 * at every connect, and everybody before a goodbye.
 */
export class Contacts {
  readonly #options: ContactsOptions;

  constructor(options: ContactsOptions) {
    this.#options = options;
  }

  /**
   * Takes a presence that was sent to one of our addresses and is about following it. False for one that says how its sender
   * is.
   */
  take(stanza: Element): boolean {
    const type = attribute(stanza, 'type');
    if (type === undefined || type === 'unavailable') return false;
    const person = bareJid(attribute(stanza, 'from') ?? '');
    const { local } = splitJid(bareJid(attribute(stanza, 'to') ?? ''));
    const handlers: Readonly<Record<string, () => Promise<void> | void>> = {
      subscribe: () => this.#subscribe(local, person),
      unsubscribe: () => this.#unsubscribe(local, person),
      probe: () => this.#tell(local, person, attribute(stanza, 'from') ?? person),
    };
    // The others (subscribed, unsubscribed, error) answer what we have asked, and nothing depends on it.
    const handled = handlers[type]?.();
    if (handled) handled.catch(this.#options.failed);
    return true;
  }

  /** The answer to a question that was put to one of our addresses; undefined for one that we know nothing of. */
  answer(iq: Element): Element | undefined {
    const { book, domain } = this.#options;
    const to = splitJid(bareJid(attribute(iq, 'to') ?? ''));
    if (to.domain !== domain) return undefined;
    const contact = book.get(to.local);
    if (to.local === '' || contact) return informationAbout(iq, contact);
    return attribute(iq, 'type') === 'get' ? errorAnswer(iq, 'cancel', 'item-not-found') : undefined;
  }

  /** A contact is so from now on; durable, and told to those who follow it, when it resolves. */
  async set(name: string, presence: PresenceState): Promise<void> {
    const contact = await this.#options.book.setPresence(name, presence);
    const local = localOf(name);
    for (const person of contact.followers) this.#tell(local, person);
  }

  /** Connected: whoever follows a contact has not heard of it since, and nobody asks. */
  tellAll(): void {
    for (const [local, { followers }] of this.#options.book.all()) {
      for (const person of followers) this.#tell(local, person);
    }
  }

  /** Before a goodbye: all are gone. */
  sayGoodbye(): void {
    for (const [local, { followers, presence }] of this.#options.book.all()) {
      if (!presence.available) continue;
      for (const to of followers)
        this.#options.post(presenceElement({ from: this.#addressOf(local), to }, { available: false }));
    }
  }

  async #subscribe(local: string, person: string): Promise<void> {
    const { book, mayFollow, post } = this.#options;
    const isKnown = book.get(local)?.followers.has(person) === true;
    // Kept before it is said: what people were told survives the process.
    const follows = isKnown || (mayFollow(person) && (await book.follow(local, person)));
    this.#say(follows ? 'subscribed' : 'unsubscribed', local, person);
    if (!follows) return;
    this.#tell(local, person);
    if (!isKnown) post(xml('presence', { from: this.#addressOf(local), to: person, type: 'subscribe' }));
  }

  async #unsubscribe(local: string, person: string): Promise<void> {
    const { book, post } = this.#options;
    if (!book.get(local)?.followers.has(person)) return;
    await book.unfollow(local, person);
    post(presenceElement({ from: this.#addressOf(local), to: person }, { available: false }));
    this.#say('unsubscribed', local, person);
  }

  /** Tells a follower how a contact is. @param to one of the follower's clients; default all of them. */
  #tell(local: string, person: string, to: string = person): void {
    const { book, paced } = this.#options;
    const contact: Contact | undefined = book.get(local);
    if (!contact?.followers.has(person)) return;
    paced.send(person, () => presenceElement({ from: this.#addressOf(local), to }, contact.presence));
  }

  #say(type: string, local: string, to: string): void {
    this.#options.post(xml('presence', { from: this.#addressOf(local), to, type }));
  }

  #addressOf(local: string): string {
    return `${local}@${this.#options.domain}`;
  }
}

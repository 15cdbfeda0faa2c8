import type { AdapterContext } from '@magpie/contract';
import { bareJid, splitJid } from '../codec/jid.ts';
import { capsElement } from '../codec/stanza/caps.ts';
import { nickElement, photoHint, rosterProposal } from '../codec/stanza/card.ts';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import { errorAnswer } from '../codec/stanza/iq.ts';
import { type PresenceState, presenceElement } from '../codec/stanza/presence.ts';
import { CAPABILITIES } from './capabilities.ts';
import type { Cards } from './cards.ts';
import { type Contact, ContactBook, localOf } from './contact-book.ts';
import { type Entity, informationAbout } from './information.ts';
import { Paced } from './paced.ts';

/** What the contacts of a component need. */
export interface ContactsOptions {
  /** The domain of the component. */
  readonly domain: string;
  readonly context: Pick<AdapterContext, 'clock' | 'store' | 'logger'>;
  /** Whether a bare JID may follow our contacts. */
  mayFollow(person: string): boolean;
  readonly cards: Pick<Cards, 'of'>;
  /** The commands of a contact that somebody may run. */
  commandsFor(contact: string, from: string): Entity['commands'];
  /** Sends without waiting; does nothing while the link is down. */
  post(stanza: Element): void;
}

/** Every contact has one client, under the same name for ever: a ghost of an earlier one would stay in people's lists. */
const RESOURCE = 'magpie';

/**
 * The addresses of a component as people have them in their lists (RFC 6121 §3, §4): who may follow them, who is told when
 * they come and go. The server does none of that for a component, and tells nobody when it is cut off: everything is told again
 * at every connect, and everybody before a goodbye.
 */
export class Contacts {
  readonly #options: ContactsOptions;
  readonly #book: ContactBook;
  readonly #paced: Paced;

  constructor(options: ContactsOptions) {
    const { context, post } = options;
    this.#options = options;
    this.#book = new ContactBook(context.store);
    this.#paced = new Paced(context.clock, post);
  }

  /** Takes up what a former process knew. Called at every connect. */
  load(): Promise<void> {
    return this.#book.load();
  }

  /** The name of the contact that a stanza is for, when it is for one of ours; what is for the domain itself has its name. */
  nameOf(jid: string): string | undefined {
    const { local, domain } = splitJid(bareJid(jid));
    if (domain === '' || domain !== this.#options.domain) return undefined;
    return local === '' ? domain : this.#book.nameOf(local);
  }

  /** The same for a contact that there is, and for the domain. */
  existing(jid: string): string | undefined {
    const { local } = splitJid(bareJid(jid));
    return local === '' || this.#book.get(local) ? this.nameOf(jid) : undefined;
  }

  /** How all contacts are. */
  *all(): Generator<readonly [name: string, presence: PresenceState]> {
    for (const [, { name, presence }] of this.#book.all()) yield [name, presence];
  }

  /** The link is gone: nothing of what waits is sent. */
  disconnected(): void {
    this.#paced.clear();
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
    if (handled)
      handled.catch((error: unknown) => {
        this.#options.context.logger.warn({ error: String(error) }, 'a change of contacts cannot be kept');
      });
    return true;
  }

  /** The answer to a question that was put to one of our addresses; undefined for one that we know nothing of. */
  answer(iq: Element): Element | undefined {
    const { domain } = this.#options;
    const to = splitJid(bareJid(attribute(iq, 'to') ?? ''));
    if (to.domain !== domain) return undefined;
    const contact = this.#book.get(to.local);
    const commands = this.#options.commandsFor(contact?.name ?? domain, attribute(iq, 'from') ?? '');
    const { cards } = this.#options;
    if (to.local === '') return informationAbout(iq, { capabilities: CAPABILITIES.domain, card: undefined, commands });
    if (contact)
      return informationAbout(iq, { capabilities: CAPABILITIES.contact, card: cards.of(contact.name), commands });
    return attribute(iq, 'type') === 'get' ? errorAnswer(iq, 'cancel', 'item-not-found') : undefined;
  }

  /** A contact is so from now on; durable, and told to those who follow it, when it resolves. */
  async set(name: string, presence: PresenceState): Promise<void> {
    const contact = await this.#book.setPresence(name, presence);
    const local = localOf(name);
    for (const person of contact.followers) this.#tell(local, person);
  }

  /** Connected: whoever follows a contact has not heard of it since, and nobody asks. We ask how the followers are. */
  tellAll(): void {
    const asked = new Set<string>();
    for (const [local, { followers }] of this.#book.all()) {
      for (const person of followers) {
        this.#tell(local, person);
        if (!asked.has(person)) this.#say('probe', local, person);
        asked.add(person);
      }
    }
  }

  /** Before a goodbye: all are gone. */
  sayGoodbye(): void {
    for (const [local, { followers, presence }] of this.#book.all()) {
      if (!presence.available) continue;
      for (const to of followers)
        this.#options.post(presenceElement({ from: this.#clientOf(local), to }, { available: false }));
    }
  }

  async #subscribe(local: string, person: string): Promise<void> {
    const { mayFollow } = this.#options;
    const book = this.#book;
    const isKnown = book.get(local)?.followers.has(person) === true;
    // Kept before it is said: what people were told survives the process.
    const follows = isKnown || (mayFollow(person) && (await book.follow(local, person)));
    this.#say(follows ? 'subscribed' : 'unsubscribed', local, person);
    if (!follows) return;
    this.#tell(local, person);
    if (!isKnown) this.#introduce(local, book.nameOf(local), person);
  }

  async #unsubscribe(local: string, person: string): Promise<void> {
    const { post } = this.#options;
    const book = this.#book;
    if (!book.get(local)?.followers.has(person)) return;
    await book.unfollow(local, person);
    post(presenceElement({ from: this.#clientOf(local), to: person }, { available: false }));
    this.#say('unsubscribed', local, person);
  }

  /** Tells a follower how a contact is. @param to one of the follower's clients; default all of them. */
  #tell(local: string, person: string, to: string = person): void {
    const contact: Contact | undefined = this.#book.get(local);
    if (!contact?.followers.has(person)) return;
    this.#paced.send(person, () => this.#presenceOf(local, contact, to));
  }

  /** How a contact is, what it can do and which picture it has. */
  #presenceOf(local: string, { name, presence }: Contact, to: string): Element {
    const element = presenceElement({ from: this.#clientOf(local), to }, presence);
    if (presence.available) element.append(capsElement(CAPABILITIES.contact), photoHint(this.#options.cards.of(name)));
    return element;
  }

  /** Asks somebody who has just begun to follow a contact to be followed, and proposes its name and groups. */
  #introduce(local: string, name: string, to: string): void {
    const { cards, post } = this.#options;
    const [from, card] = [this.#addressOf(local), cards.of(name)];
    post(xml('presence', { from, to, type: 'subscribe' }, nickElement(card)));
    if (card.groups.length > 0) post(xml('message', { from, to }, rosterProposal(from, card)));
  }

  #say(type: string, local: string, to: string): void {
    this.#options.post(xml('presence', { from: this.#addressOf(local), to, type }));
  }

  /** Where a contact is, as its presence shows: what clients ask for commands. */
  #clientOf(local: string): string {
    return `${this.#addressOf(local)}/${RESOURCE}`;
  }

  #addressOf(local: string): string {
    return `${local}@${this.#options.domain}`;
  }
}

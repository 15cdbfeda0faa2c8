import { type AdapterContext, Rejected } from '@magpie/contract';
import { enableCarbons } from '../codec/carbons.ts';
import { bareJid } from '../codec/jid.ts';
import { capsElement } from '../codec/stanza/caps.ts';
import { attribute, type Element, xml } from '../codec/stanza/element.ts';
import { type PresenceState, presenceElement } from '../codec/stanza/presence.ts';
import { CAPABILITIES } from '../contacts/capabilities.ts';
import { isOwnName } from '../identity.ts';
import type { Link } from '../link/link.ts';
import { withPatience } from '../patience.ts';
import { OtherClients } from './other-clients.ts';

/** How an account's presence is made. */
export interface AccountPresenceOptions {
  /** Our bare JID. */
  readonly account: string;
  /** While one-to-one messages are received. */
  readonly priority: number;
  readonly context: Pick<AdapterContext, 'clock' | 'detail' | 'store'>;
  /** Whether a bare JID may have the account in its list. */
  mayFollow(person: string): boolean;
  /** Sends without waiting; does nothing while the link is down. */
  post(stanza: Element): void;
}

/** Where the account's presence is kept. */
const KEY = 'account presence';

/** The presence of an account that we log in to, beside its other clients: whether one-to-one messages come to us. */
export class AccountPresence {
  readonly #options: AccountPresenceOptions;
  readonly #clients: OtherClients;
  /** One-to-one messages are received. */
  #receiving = false;
  /** The server sends us copies of what other clients of our account get. */
  #copies = false;
  #status: string | undefined;
  /** How a route says that we are. */
  #state: PresenceState = { available: true };

  constructor(options: AccountPresenceOptions) {
    this.#options = options;
    this.#clients = new OtherClients(options.account);
  }

  /** Takes up how a former process was. Called at every connect. */
  async load(): Promise<void> {
    const kept = (await this.#options.context.store.entries()).get(KEY);
    if (kept !== undefined) this.#state = JSON.parse(kept);
  }

  /**
   * We are so from now on; durable when it resolves. One that is not there is shown as away for long: without any presence
   * the server would keep messages back.
   * @throws Rejected when the name is not the account's.
   */
  async set(name: string, state: PresenceState): Promise<void> {
    const { account, context, post } = this.#options;
    if (!isOwnName(name, account))
      throw new Rejected(
        `"${name}" is no contact of ours: an account has only itself (${account}), a component has many`,
      );
    await context.store.put(new Map([[KEY, JSON.stringify(state)]]));
    this.#state = state;
    post(this.#element());
  }

  /** A new session: the server tells of the other clients again. */
  reset(): void {
    this.#clients.clear();
    this.#copies = false;
  }

  /**
   * Says whether one-to-one messages are received: presence makes the server deliver them to us, a negative priority makes it
   * keep them for later (RFC 6121 §8.5.2). Resolves when the server has taken the first presence, or has been silent for a
   * while: what ejabberd gets just before that stays with it until the next login. Rejects with `NotConnected` on a dead link.
   */
  async announce(link: Link, receiving: boolean): Promise<void> {
    this.#receiving = receiving;
    link.post(this.#element());
    this.#tellClients();
    if (receiving && !this.#copies) await withPatience(this.#enableCopies(link), this.#options.context.clock);
  }

  /**
   * Takes a presence of another client of our account, or one that is about following us; false for any other.
   * @param own our full JID.
   */
  take(presence: Element, own: string): boolean {
    if (attribute(presence, 'type') === 'subscribe') return this.#subscribe(bareJid(attribute(presence, 'from') ?? ''));
    const isTaken = this.#clients.take(presence, own);
    if (isTaken) this.#tellClients();
    return isTaken;
  }

  /** Whom we let follow us we follow as well (RFC 6121 §3.1). Others are left to the human who owns the account. */
  #subscribe(person: string): boolean {
    const { mayFollow, post } = this.#options;
    if (!mayFollow(person)) return true;
    for (const type of ['subscribed', 'subscribe']) post(xml('presence', { to: person, type }));
    return true;
  }

  #element(): Element {
    const { available, show, ...said } = this.#state;
    const priority = this.#receiving ? this.#options.priority : -1;
    const presence = presenceElement({}, { available: true, show: available ? show : 'xa', ...said, priority });
    presence.append(capsElement(CAPABILITIES.account));
    return presence;
  }

  /** A server without XEP-0280 refuses, which changes nothing. Resolves when it has answered. */
  #enableCopies(link: Link): Promise<void> {
    const answered = (answer: Element): void => {
      this.#copies = attribute(answer, 'type') === 'result';
      this.#tellClients();
    };
    return link.request('set', enableCarbons()).then(answered, () => undefined);
  }

  #tellClients(): void {
    const { priority, context } = this.#options;
    const status = this.#receiving ? this.#clients.status(priority, this.#copies) : undefined;
    if (status === this.#status) return;
    this.#status = status;
    context.detail('one-to-one messages', status, 'trouble');
  }
}

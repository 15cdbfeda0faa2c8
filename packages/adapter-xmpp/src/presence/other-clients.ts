import { bareJid, resourceOf } from '../codec/jid.ts';
import { attribute, childText, type Element } from '../codec/stanza/element.ts';

/** Maximum number of remembered clients. */
const MOST = 100;

/**
 * Other clients that are logged in to our account. A server delivers one-to-one messages to the client with the highest
 * priority (RFC 6121 §8.5.2.1), so another client may get ours.
 */
export class OtherClients {
  readonly #account: string;
  readonly #priorities = new Map<string, number>();

  /** @param account our bare JID. */
  constructor(account: string) {
    this.#account = account;
  }

  /**
   * Takes a presence; false when it is not from a client of our account.
   * @param own our full JID.
   */
  take(presence: Element, own: string): boolean {
    const from = attribute(presence, 'from') ?? '';
    const resource = resourceOf(from);
    if (bareJid(from) !== this.#account || resource === undefined || from === own) return false;
    const type = attribute(presence, 'type');
    if (type === 'unavailable') this.#priorities.delete(resource);
    else if (type === undefined && this.#priorities.size < MOST) this.#priorities.set(resource, priorityOf(presence));
    return true;
  }

  /** Called for a new session: the server announces all of them again. */
  clear(): void {
    this.#priorities.clear();
  }

  /**
   * Describes the client that gets one-to-one messages instead of us; undefined when there is none.
   * @param priority ours.
   * @param copies whether the server sends us copies.
   */
  status(priority: number, copies: boolean): string | undefined {
    const [first] = [...this.#priorities].sort(([, a], [, b]) => b - a);
    if (!first || first[1] < 0 || first[1] < priority) return undefined;
    const [resource, theirs] = first;
    const verb = theirs > priority ? 'takes' : 'may take';
    const effect = copies ? 'we get copies, which run no command' : 'we do not get them';
    return `the client "${resource}" of our account (priority ${theirs}, ours ${priority}) ${verb} one-to-one messages: ${effect}; raise priority, or log that client out`;
  }
}

function priorityOf(presence: Element): number {
  const value = Number(childText(presence, 'priority') ?? 0);
  return Number.isInteger(value) ? value : 0;
}

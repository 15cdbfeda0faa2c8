import type { AdapterContext } from '@magpie/contract';
import { access } from '../access.ts';
import { bareJid, splitJid } from '../codec/jid.ts';
import type { Element } from '../codec/stanza/element.ts';
import { Commands } from '../commands/commands.ts';
import type { XmppConfig } from '../config.ts';
import type { Identity } from '../identity.ts';
import { AccountPresence } from '../presence/account-presence.ts';
import type { Intake } from '../receive/intake.ts';
import { type Answers, createAnswers } from './answers.ts';
import { Cards } from './cards.ts';
import { Contacts } from './contacts.ts';

/** What our addresses need. */
export interface OwnAddressesOptions {
  readonly config: Pick<XmppConfig, 'contacts' | 'priority'>;
  readonly context: AdapterContext;
  readonly identity: Identity;
  readonly intake: Intake;
  /** Whether a bare JID is that of a room we know. */
  isRoom(jid: string): boolean;
  /** Sends without waiting; does nothing while the link is down. */
  post(stanza: Element): void;
}

/** Our addresses as others know them: an account, or the contacts of a component, with the commands that are found there. */
export interface OwnAddresses {
  /** Set for an account. */
  readonly presence: AccountPresence | undefined;
  /** Set for a component. */
  readonly contacts: Contacts | undefined;
  readonly cards: Cards;
  readonly commands: Commands;
  readonly answer: Answers;
}

/** The addresses of a connection. Called once for each. */
export function ownAddresses({ config, identity, isRoom, ...given }: OwnAddressesOptions): OwnAddresses {
  const { context, intake, post } = given;
  const { account, domain } = identity;
  const mayFollow = (person: string): boolean =>
    config.contacts.allow.some((entry) => access.permits(entry, { from: person }));
  const presence =
    domain === undefined
      ? new AccountPresence({ account, priority: config.priority, context, mayFollow, post })
      : undefined;
  const ourName = (jid: string): string | undefined => (bareJid(jid) === account ? splitJid(account).local : undefined);
  const contact = (jid: string): string | undefined => (contacts ? contacts.existing(jid) : ourName(jid));
  const commands = new Commands({ context, intake, post, isRoom, contact });
  const commandsFor: Commands['listFor'] = (name, from) => commands.listFor(name, from);
  const cards = new Cards(config.contacts.cards, context);
  const contacts =
    domain === undefined ? undefined : new Contacts({ domain, context, mayFollow, post, cards, commandsFor });
  return { presence, contacts, cards, commands, answer: createAnswers({ account, commands, contacts }) };
}

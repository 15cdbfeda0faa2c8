import { splitJid } from '../codec/jid.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import type { Commands } from '../commands/commands.ts';
import { CAPABILITIES } from './capabilities.ts';
import type { Contacts } from './contacts.ts';
import { informationAbout } from './information.ts';

/** Who answers what others ask. */
export interface AnswersOptions {
  /** Our bare JID. */
  readonly account: string;
  readonly commands: Pick<Commands, 'answer' | 'listFor'>;
  /** Set for a component. */
  readonly contacts: Pick<Contacts, 'answer'> | undefined;
}

/** The answer to a question that somebody puts to one of our addresses, at once or later; undefined for what is not about them. */
export type Answers = (iq: Element, repeated: boolean) => Element | 'later' | undefined;

/** The answers of an account, or of a component for its contacts. */
export const createAnswers =
  ({ account, commands, contacts }: AnswersOptions): Answers =>
  (iq, repeated) => {
    const step = commands.answer(iq, repeated);
    if (step || contacts) return step ?? contacts?.answer(iq);
    const own = commands.listFor(splitJid(account).local, attribute(iq, 'from') ?? '');
    return informationAbout(iq, { capabilities: CAPABILITIES.account, card: undefined, commands: own });
  };

import { attribute, type Element } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';

/** Marks of a message besides its text, shown in `origin` (`ORIGIN_MARKS`). */
export interface Marks {
  /** XEP-0308: the id of the message that this one corrects. The author is not verified. */
  readonly replaces?: string;
  /** XEP-0424, also by a moderator (XEP-0425): the id of the message that is taken back. */
  readonly retracts?: string;
  /** XEP-0428: the body, or a part of it, replaces an element, such as the quotation in a reply (XEP-0461). */
  readonly fallback?: true;
  /** XEP-0380 and its predecessors: the body replaces an encrypted one. */
  readonly encrypted?: true;
}

/** Elements of an encrypted message, by namespace. */
const ENCRYPTED: Readonly<Record<string, string>> = {
  [NS.encryption]: 'encryption',
  [NS.omemoLegacy]: 'encrypted',
  [NS.omemo]: 'encrypted',
  [NS.openPgp]: 'openpgp',
  [NS.openPgpLegacy]: 'x',
};

/** The marks of a message. Total. An element without a message id counts with an empty one. */
export function marksOf(message: Element): Marks {
  const replaced = message.getChild('replace', NS.correction);
  const retracted = message.getChild('retract', NS.retraction) ?? attached(message);
  const fallback = message.getChild('fallback', NS.fallback) ?? message.getChild('fallback', NS.fallbackLegacy);
  const encrypted = Object.entries(ENCRYPTED).some(([namespace, name]) => message.getChild(name, namespace));
  return {
    ...(replaced ? { replaces: attribute(replaced, 'id') ?? '' } : {}),
    ...(retracted ? { retracts: attribute(retracted, 'id') ?? '' } : {}),
    ...(fallback ? { fallback: true } : {}),
    ...(encrypted ? { encrypted: true } : {}),
  };
}

/** The older form of a retraction, with the id in the enclosing element (XEP-0422). */
function attached(message: Element): Element | undefined {
  const around = message.getChild('apply-to', NS.fasten);
  const about = around?.getChild('retract', NS.retractionLegacy) ?? around?.getChild('moderated', NS.moderation);
  return about && around;
}

/** What a message says about an earlier one without standing in for it, shown in `origin`. */
export interface References {
  /** XEP-0461: the id of the message that is answered, and who wrote that; in a room the room's id of it. */
  readonly reply?: { readonly id: string; readonly to?: string };
  /** XEP-0444: the id of a message, in a room the room's, and all reactions to it by this sender, none of them to take them back. */
  readonly reaction?: { readonly id: string; readonly emojis: readonly string[] };
}

/** Reactions of one message, and characters of each. */
export const MOST_REACTIONS = 50;
export const LONGEST_REACTION = 32;

/** The references of a message. Total. An element without a message id is none. */
export function referencesOf(message: Element): References {
  const [replied, reacted] = [message.getChild('reply', NS.reply), message.getChild('reactions', NS.reactions)];
  const [replyId, reactionId] = [replied && attribute(replied, 'id'), reacted && attribute(reacted, 'id')];
  const to = replied && attribute(replied, 'to');
  const emojis = (reacted?.getChildren('reaction') ?? []).slice(0, MOST_REACTIONS).map((each) => each.getText());
  return {
    ...(replyId ? { reply: { id: replyId, ...(to === undefined ? {} : { to }) } } : {}),
    ...(reactionId
      ? { reaction: { id: reactionId, emojis: emojis.filter((emoji) => emoji.length <= LONGEST_REACTION) } }
      : {}),
  };
}

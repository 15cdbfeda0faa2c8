import { attribute, type Element } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';

/** What a message is besides its text, as `origin` says it (`ORIGIN_MARKS`). */
export interface Marks {
  /** XEP-0308: the id of the message that this one corrects. Nobody but us checks who has written that. */
  readonly replaces?: string;
  /** XEP-0424, also by a moderator (XEP-0425): the id of the message that is taken back. */
  readonly retracts?: string;
  /** XEP-0428: the body, or a part of it, stands in for an element, such as the quotation in an answer (XEP-0461). */
  readonly fallback?: true;
  /** XEP-0380 and what came before it: the body stands in for an encrypted one. */
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

/** The marks of a message. Total. An element that does not say which message it is about counts with an empty id. */
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

/** The older form of a retraction, where the id stands in the element around it (XEP-0422). */
function attached(message: Element): Element | undefined {
  const around = message.getChild('apply-to', NS.fasten);
  const about = around?.getChild('retract', NS.retractionLegacy) ?? around?.getChild('moderated', NS.moderation);
  return about && around;
}

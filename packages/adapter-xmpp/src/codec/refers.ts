import { Rejected } from '@magpie/contract';
import { LONGEST_REACTION, MOST_REACTIONS } from './marks.ts';
import { type Element, xml } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';

/** The message that one of ours is about, one of these: its id, in a room the one that the room gave it. */
export interface Refers {
  readonly reply?: string | undefined;
  readonly replaces?: string | undefined;
  readonly retracts?: string | undefined;
  readonly reaction?: string | undefined;
}

/**
 * The elements that say so. @param body the readable text of the message.
 * @throws Rejected when a reaction has no emojis in it, or is a text.
 */
export function referringElements({ reply, replaces, retracts, reaction }: Refers, body: string): Element[] {
  if (reply !== undefined) return [xml('reply', { xmlns: NS.reply, id: reply })];
  if (replaces !== undefined) return [xml('replace', { xmlns: NS.correction, id: replaces })];
  if (retracts !== undefined)
    return [
      xml('retract', { xmlns: NS.retraction, id: retracts }),
      xml('fallback', { xmlns: NS.fallback, for: NS.retraction }),
    ];
  if (reaction === undefined) return [];
  const emojis = body.split(/\s+/).filter((emoji) => emoji !== '');
  if (emojis.length === 0 || emojis.length > MOST_REACTIONS || emojis.some(({ length }) => length > LONGEST_REACTION))
    throw new Rejected(
      `expected 1 to ${MOST_REACTIONS} emojis of at most ${LONGEST_REACTION} characters as a reaction, got a text of ${body.length} characters`,
    );
  return [
    xml('reactions', { xmlns: NS.reactions, id: reaction }, ...emojis.map((emoji) => xml('reaction', {}, emoji))),
  ];
}

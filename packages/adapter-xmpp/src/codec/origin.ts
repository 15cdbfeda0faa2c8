import { z } from 'zod';
import { originId, stanzaIdBy } from './decode.ts';
import { bareJid, resourceOf } from './jid.ts';
import { marksOf, referencesOf } from './marks.ts';
import { fileOf } from './shared-file.ts';
import { attribute, childText, type Element } from './stanza/element.ts';
import type { Occupant } from './stanza/muc.ts';
import { mainText, otherTextsOf } from './texts.ts';

/** Protocol facts of a received stanza, for expressions. */
export const originSchema = z.strictObject({
  from: z.string().describe('Full JID of the sender; in a room the room with the nick.'),
  to: z.string().optional().describe('Our JID as written in the stanza.'),
  resource: z.string().optional().describe('Resource of a one-to-one sender.'),
  stanzaType: z.string().describe('Type of the stanza: chat, normal, groupchat, headline, error.'),
  stanzaId: z.string().optional().describe('Id stamped by the room or our server (XEP-0359), if trusted.'),
  originId: z.string().optional().describe('Id given by the sender (XEP-0359).'),
  thread: z.string().optional().describe('Conversation thread.'),
  subject: z.string().optional().describe('Subject of the message.'),
  room: z.string().optional().describe('Room the message was written in.'),
  nick: z.string().optional().describe('Nick in the room. Anyone may take it: never authorise by it.'),
  occupantId: z.string().optional().describe('Stable identity in the room (XEP-0421).'),
  affiliation: z.string().optional().describe('Affiliation in the room: owner, admin, member, none.'),
  role: z.string().optional().describe('Role in the room: moderator, participant, visitor.'),
  realJid: z.string().optional().describe('Bare JID behind the nick, if the room shows it.'),
  delayed: z.string().optional().describe('When the server received it, for a delayed message (XEP-0203).'),
  late: z.boolean().optional().describe('Whether it was said while the gateway was away.'),
  replay: z
    .boolean()
    .describe('Whether it is room history, sent on joining, or an item that was not published just now.'),
  lang: z.string().optional().describe('Language of the text, as the sender says.'),
  texts: z
    .array(
      z.strictObject({
        lang: z.string().optional().describe('Language, as the sender says.'),
        text: z.string().describe('The text.'),
      }),
    )
    .readonly()
    .optional()
    .describe('The text in other languages (RFC 6121), and what people read in the place of JSON (XEP-0335).'),
  replaces: z
    .string()
    .optional()
    .describe('Id of the message that this one corrects (XEP-0308); the author is not verified.'),
  retracts: z.string().optional().describe('Id of the retracted message (XEP-0424).'),
  fallback: z
    .boolean()
    .optional()
    .describe('Whether the text, or a part of it, is a fallback for an element (XEP-0428).'),
  copied: z
    .boolean()
    .optional()
    .describe('Whether it is a copy of a message to another client of our account (XEP-0280).'),
  encrypted: z.boolean().optional().describe('Whether the text is a placeholder for an encrypted one (XEP-0380).'),
  reply: z
    .strictObject({
      id: z.string().describe('Id of the message that is answered; in a room its stanza id.'),
      to: z.string().optional().describe('Who wrote that, as the sender says.'),
    })
    .optional()
    .describe('What the message answers (XEP-0461).'),
  reaction: z
    .strictObject({
      id: z.string().describe('Id of the message that is reacted to; in a room its stanza id.'),
      emojis: z
        .array(z.string())
        .readonly()
        .describe('All reactions of the sender to it; an empty list takes them back.'),
    })
    .optional()
    .describe('What is reacted to (XEP-0444): by an event of kind reaction, or by a message that has a text as well.'),
  file: z
    .strictObject({
      url: z.string().describe('Where it is: http or https.'),
      mediaType: z.string().optional().describe('Media type, as the sender says.'),
      size: z.number().optional().describe('Bytes, as the sender says.'),
      name: z.string().optional().describe('Name, as the sender says.'),
      problem: z.string().optional().describe('Why the file was not fetched, although `fetch` asked for it.'),
    })
    .optional()
    .describe('The file that the message links to (XEP-0066, XEP-0447). Anybody can write any address there.'),
  node: z.string().optional().describe('Node that the item was published to (XEP-0060).'),
  item: z.string().optional().describe('Id of the item; a later item with the same id takes its place.'),
  publisher: z.string().optional().describe('Who published the item, as the service says; many say nothing.'),
  command: z.string().optional().describe('The command that was run (XEP-0050).'),
  session: z
    .string()
    .optional()
    .describe('Id of the running command: a target with this `session` ends it, as the answers of `reply` do.'),
  condition: z.string().optional().describe('Reason of a message that came back, such as recipient-unavailable.'),
});

/** The protocol facts of one event. */
export type XmppOrigin = z.output<typeof originSchema>;

/** What the connection knows about the source of a message. */
export interface Provenance {
  /** Set for messages of a room, also private ones. */
  readonly occupant: Occupant | undefined;
  readonly inRoom: boolean;
  /** The trusted stamper of stanza ids: the room or our own account. */
  readonly stampedBy: string | undefined;
  /** By a trusted delay. */
  readonly delayed: string | undefined;
}

/** Collects the facts. Nick, affiliation and real JID come from presence, which the room itself sends. */
export function originOf(message: Element, { occupant, inRoom, stampedBy, delayed }: Provenance): XmppOrigin {
  const from = attribute(message, 'from') ?? '';
  const resource = resourceOf(from);
  const facts = {
    to: attribute(message, 'to'),
    stanzaId: stampedBy === undefined ? undefined : stanzaIdBy(message, stampedBy),
    originId: originId(message),
    thread: childText(message, 'thread'),
    subject: mainText(message, 'subject'),
    ...(inRoom ? { room: bareJid(from), nick: resource } : { resource }),
    occupantId: occupant?.occupantId,
    affiliation: occupant?.affiliation,
    role: occupant?.role,
    realJid: occupant?.realJid,
    delayed,
  };
  const file = fileOf(message);
  const known = Object.entries(facts).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    ...Object.fromEntries(known),
    ...otherTextsOf(message),
    ...marksOf(message),
    ...referencesOf(message),
    ...(file ? { file } : {}),
    from,
    stanzaType: attribute(message, 'type') ?? 'normal',
    replay: inRoom && delayed !== undefined,
  };
}

import { bounced, delivered, type NoticePlace } from '@magpie/adapter-kit';
import type { Origin, ReceivedEvent } from '@magpie/contract';
import type { Archived } from '../archive/query.ts';
import { addressOf, contactAddress } from '../codec/addresses.ts';
import { classify, decodeMessage, receiptOf, stanzaIdBy } from '../codec/decode.ts';
import { bareJid, normalJid, splitJid } from '../codec/jid.ts';
import { originOf, type XmppOrigin } from '../codec/origin.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import { occupantIdOf } from '../codec/stanza/muc.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { conditionOf } from '../errors.ts';
import type { Incoming } from '../link/link.ts';
import type { Room } from '../rooms/room.ts';
import { withOwnReplyTo } from './reply-address.ts';

/** Facts known to the connection but not in the stanza. */
export interface Surroundings {
  /** Our bare JID. */
  readonly account: string;
  /** Whether our server stamps trustworthy stanza ids. */
  readonly accountStampsIds: boolean;
  /** Whether what a server has kept for us was said while we were away. In a resumed session it was only on its way. */
  readonly wasAway: boolean;
  /** The room with this bare JID, if we are in it. */
  room(jid: string): Room | undefined;
  /** The name of the contact of ours that has this JID; undefined for an account, and for what is not ours. */
  contact(jid: string): string | undefined;
  /** The delivery of a recent message of ours that has this id, by our word or by the room's. */
  deliveryOf(id: string): string | undefined;
  /** Whether the sender of a message may name a third party as its reply address. */
  believes(origin: Origin): boolean;
}

/**
 * The event of a message stanza; undefined for other stanzas: a chat state, a subject change, a message of an unknown
 * room.
 */
export function receivedEvent({ stanza, repeated }: Incoming, around: Surroundings): ReceivedEvent | undefined {
  const kind = classify(stanza);
  const room = around.room(bareJid(attribute(stanza, 'from') ?? ''));
  if (attribute(stanza, 'type') === 'groupchat' && !room) return undefined;
  const event = KINDS[kind]?.(stanza, around, room);
  if (!event) return undefined;
  // A message stored by the server may have reached us before, in a session that ended without our acknowledgement.
  const kept = event.origin.delayed !== undefined;
  return repeated || kept ? { ...event, redelivered: true } : event;
}

/**
 * The event of a message in an archive: as if it had come live, and marked as late. Undefined for what is no message to us: a
 * notice, a message of ours.
 * @param by whose archive it is: our bare JID or a room's.
 */
export function archivedEvent(by: string, archived: Archived, around: Surroundings): ReceivedEvent | undefined {
  const { id, stamp, message: stanza } = archived;
  const from = attribute(stanza, 'from') ?? '';
  const room = around.room(bareJid(from));
  const isGroupchat = attribute(stanza, 'type') === 'groupchat';
  const isHere = by === around.account ? !isGroupchat && bareJid(from) !== by : isGroupchat && room?.jid === by;
  const kind = classify(stanza);
  if (from === '' || !isHere || (kind !== 'content' && kind !== 'reaction')) return undefined;
  // Whoever has the nick today is not who wrote under it then.
  const occupant = room?.announces(NS.occupantId) ? room.occupants.withId(occupantIdOf(stanza)) : undefined;
  const known = { occupant, inRoom: room !== undefined, stampedBy: undefined, delayed: stamp };
  const origin = { ...originOf(stanza, known), stanzaId: id, replay: false, late: true };
  const place = placeOf(stanza, isGroupchat, room);
  const event: ReceivedEvent = {
    ...withOwnReplyTo(decodeMessage(stanza, Date.parse(stamp)), origin, place.address, around.believes),
    ...place,
    kind: 'message',
    origin,
    dedupeKey: dedupeKey(by, id),
    redelivered: true,
  };
  return kind === 'reaction' ? asReaction(event, around) : event;
}

/** A room's event with the id that the room gave it, which may have come before we knew that it does. */
export function stampedEvent(event: ReceivedEvent, stanza: Element, room: string): ReceivedEvent {
  const id = event.origin.stanzaId === undefined ? stanzaIdBy(stanza, room) : undefined;
  if (id === undefined) return event;
  return { ...event, origin: { ...event.origin, stanzaId: id }, dedupeKey: dedupeKey(room, id) };
}

const dedupeKey = (by: string, id: string): string => `${by} ${id}`;

type Build = (stanza: Element, around: Surroundings, room: Room | undefined) => ReceivedEvent | undefined;

/** What somebody has said. */
function said(stanza: Element, around: Surroundings, room: Room | undefined): ReceivedEvent {
  const groupchat = attribute(stanza, 'type') === 'groupchat';
  const stampedBy = stamper(around, room, groupchat);
  const delayed = trustedDelay(stanza, around, room);
  const known = { occupant: room?.occupants.senderOf(stanza), inRoom: room !== undefined, stampedBy, delayed };
  const isLate = delayed !== undefined && room === undefined && around.wasAway;
  const origin = { ...originOf(stanza, known), ...(isLate ? { late: true } : {}) };
  const { stanzaId } = origin;
  const sentAt = delayed === undefined ? undefined : Date.parse(delayed);
  const place = placeOf(stanza, groupchat, room);
  const content = withOwnReplyTo(decodeMessage(stanza, sentAt), origin, place.address, around.believes);
  return {
    ...content,
    ...place,
    ...toContact(stanza, content, around, room),
    kind: 'message',
    origin,
    ...(stanzaId === undefined || stampedBy === undefined ? {} : { dedupeKey: dedupeKey(stampedBy, stanzaId) }),
  };
}

/** XEP-0444: the emojis as text; `correlationId` is what they are about: the delivery, if that is a message of ours. */
function asReaction(event: ReceivedEvent, { deliveryOf }: Surroundings): ReceivedEvent | undefined {
  const { reaction } = event.origin as XmppOrigin;
  if (!reaction) return undefined;
  const correlationId = deliveryOf(reaction.id) ?? reaction.id;
  return { ...event, kind: 'reaction', correlationId, body: Buffer.from(reaction.emojis.join(' ')) };
}

const KINDS: Readonly<Record<string, Build>> = {
  content: said,
  reaction: (stanza, around, room) => asReaction(said(stanza, around, room), around),
  receipt: (stanza, _around, room) => delivered(noticePlace(stanza, room), receiptOf(stanza)),
  error: (stanza, _around, room) => {
    const error = stanza.getChild('error');
    const condition = error ? conditionOf(error) : 'undefined-condition';
    const text = error?.getChild('text')?.getText();
    const { origin, ...place } = noticePlace(stanza, room);
    const reason = text ? `${condition}: ${text}` : condition;
    return bounced({ ...place, origin: { ...origin, condition } }, attribute(stanza, 'id'), reason);
  },
};

/** Source of a notice about a message of ours. */
const noticePlace = (stanza: Element, room: Room | undefined): NoticePlace => ({
  ...placeOf(stanza, false, room),
  origin: originOf(stanza, {
    occupant: undefined,
    inRoom: room !== undefined,
    stampedBy: undefined,
    delayed: undefined,
  }),
});

/** A room's message belongs to the room, a private one in a room to that occupant, any other to the sender's bare JID. */
function placeOf(stanza: Element, groupchat: boolean, room: Room | undefined): Pick<ReceivedEvent, 'address' | 'key'> {
  const from = attribute(stanza, 'from') ?? '';
  if (groupchat) return { address: addressOf('room', bareJid(from)) };
  const jid = room ? normalJid(from) : bareJid(from);
  return { address: addressOf('jid', jid), key: jid };
}

/** What is said to a contact belongs to it; whom to answer is the sender, unless that says otherwise and is believed. */
function toContact(
  stanza: Element,
  { replyTo }: Pick<ReceivedEvent, 'replyTo'>,
  around: Surroundings,
  room: Room | undefined,
): Pick<ReceivedEvent, 'address' | 'key' | 'replyTo'> | undefined {
  const name = room ? undefined : around.contact(attribute(stanza, 'to') ?? '');
  if (name === undefined) return undefined;
  const from = normalJid(attribute(stanza, 'from') ?? '');
  return { address: contactAddress(name), key: bareJid(from), replyTo: replyTo ?? addressOf('jid', from) };
}

function stamper(
  { account, accountStampsIds }: Surroundings,
  room: Room | undefined,
  groupchat: boolean,
): string | undefined {
  if (groupchat) return room?.stampsIds ? room.jid : undefined;
  return accountStampsIds ? account : undefined;
}

/** XEP-0203: when the room or our own server received the message. A delay element from anyone else is not trusted. */
function trustedDelay(stanza: Element, { account }: Surroundings, room: Room | undefined): string | undefined {
  const trusted = new Set([account, splitJid(account).domain, room?.jid]);
  const delay = stanza.getChildren('delay', NS.delay).find((child) => {
    const from = attribute(child, 'from');
    return from === undefined ? room === undefined : trusted.has(bareJid(from));
  });
  const stamp = delay && attribute(delay, 'stamp');
  return stamp !== undefined && Number.isFinite(Date.parse(stamp)) ? stamp : undefined;
}

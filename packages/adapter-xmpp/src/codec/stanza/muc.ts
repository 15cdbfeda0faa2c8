import { bareJid } from '../jid.ts';
import { attribute, childText, type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';

/** An occupant of a room, as known from its presence. */
export interface Occupant {
  readonly affiliation: string;
  readonly role: string;
  /** Bare JID, if the room shows it. */
  readonly realJid?: string;
  readonly occupantId?: string;
}

/** The occupant a room presence is about; undefined when it has no details. */
export function occupantOf(presence: Element): Occupant | undefined {
  const item = presence.getChild('x', NS.mucUser)?.getChild('item');
  if (!item) return undefined;
  const jid = attribute(item, 'jid');
  const occupantId = occupantIdOf(presence);
  return {
    affiliation: attribute(item, 'affiliation') ?? 'none',
    role: attribute(item, 'role') ?? 'none',
    ...(jid === undefined ? {} : { realJid: bareJid(jid) }),
    ...(occupantId === undefined ? {} : { occupantId }),
  };
}

/** XEP-0421: the identity in the room, which stays the same when the nick changes. */
export const occupantIdOf = (stanza: Element): string | undefined => {
  const element = stanza.getChild('occupant-id', NS.occupantId);
  return element && attribute(element, 'id');
};

/** Status codes of a room's presence (XEP-0045 §15.6). */
export const statusCodes = (presence: Element): ReadonlySet<string> =>
  new Set(
    (presence.getChild('x', NS.mucUser)?.getChildren('status') ?? []).map((status) => attribute(status, 'code') ?? ''),
  );

/** The new nick, when a presence announces a change of nick (XEP-0045 §7.6). */
export function newNick(presence: Element): string | undefined {
  const item = statusCodes(presence).has('303') ? presence.getChild('x', NS.mucUser)?.getChild('item') : undefined;
  return item && attribute(item, 'nick');
}

/** How a room ended (XEP-0045 §10.9). */
export interface Destruction {
  /** The room to go to instead, bare JID; not verified. */
  readonly to?: string;
  readonly password?: string;
  readonly reason?: string;
}

/** Longest reason that is shown, in characters. */
const LONGEST_REASON = 200;

/** What the last presence of a room says when its owner has destroyed it; undefined when we have left for another reason. */
export function destructionOf(presence: Element): Destruction | undefined {
  const end = presence.getChild('x', NS.mucUser)?.getChild('destroy');
  if (!end) return undefined;
  const to = attribute(end, 'jid');
  const [password, reason] = [childText(end, 'password'), childText(end, 'reason')];
  return {
    ...(to ? { to } : {}),
    ...(password ? { password } : {}),
    ...(reason ? { reason: reason.slice(0, LONGEST_REASON) } : {}),
  };
}

/** Where a room has gone that refuses a join because it is gone (RFC 6120 §8.3.3.5), bare JID; undefined when it does not say. */
export function movedByError(presence: Element): string | undefined {
  const uri = childText(presence.getChild('error') ?? presence, 'gone', NS.stanzaErrors) ?? '';
  return /^xmpp:([^?#]+)/.exec(uri)?.[1];
}

/** A presence that asks a room to let us in (XEP-0045 §7.2), without its history. */
export function joinPresence(occupant: string, password: string | undefined): Element {
  const muc = xml('x', { xmlns: NS.muc }, xml('history', { maxstanzas: '0' }));
  if (password !== undefined) muc.append(xml('password', {}, password));
  return xml('presence', { to: occupant }, muc);
}

/** Id of the presence by which we leave: an error that answers it is no answer to a join. */
export const LEAVING_ID = 'leaving';

/** A presence by which we leave a room (XEP-0045 §7.14). */
export const leavePresence = (occupant: string): Element =>
  xml('presence', { to: occupant, type: 'unavailable', id: LEAVING_ID });

/** XEP-0045 §10.1.2: a room that our join has created stays locked until its defaults are accepted. */
export const acceptDefaults = (): Element =>
  xml('query', { xmlns: NS.mucOwner }, xml('x', { xmlns: NS.dataForms, type: 'submit' }));

const LEAVING: Readonly<Record<string, string>> = {
  301: 'banned',
  307: 'kicked',
  321: 'removed by a change of affiliation',
  322: 'the room became members-only',
  332: 'the room service shuts down',
  333: 'removed for a technical problem',
};

/** Why we are no longer in a room, from the status codes of our presence. */
export const leavingReason = (codes: ReadonlySet<string>): string =>
  [...codes].map((code) => LEAVING[code]).find((reason) => reason !== undefined) ?? 'no longer in the room';

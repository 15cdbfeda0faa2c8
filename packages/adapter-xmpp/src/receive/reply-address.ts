import { type Address, addressToText, type Origin, type ReceivedParts } from '@magpie/contract';
import { access } from '../access.ts';
import { addressOf } from '../codec/addresses.ts';
import { bareJid, normalJid } from '../codec/jid.ts';
import type { XmppOrigin } from '../codec/origin.ts';

/** Whether somebody may name another reply address than their own: whom `acceptReplyTo` names, as `allow` does. */
export const believer =
  (accepted: readonly string[]) =>
  (origin: Origin): boolean =>
    accepted.some((entry) => access.permits(entry, origin));

/**
 * The content without a reply address that would send the answers of others to a third party: anybody can write any address into a
 * message. What remains is the place of the message, its sender, and whatever is named by those who are believed. Total.
 */
export function withOwnReplyTo(
  content: ReceivedParts,
  origin: XmppOrigin,
  place: Address,
  believes: (origin: Origin) => boolean,
): ReceivedParts {
  const { replyTo, ...rest } = content;
  if (replyTo === undefined) return content;
  const own = [place, addressOf('jid', bareJid(origin.from)), addressOf('jid', normalJid(origin.from))];
  const isOwn = own.some((address) => addressToText(address) === addressToText(replyTo));
  return isOwn || believes(origin) ? content : rest;
}

import { attribute, childText, type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';
import { readableText } from './xml-text.ts';

/** What `<show/>` may say of somebody who is there (RFC 6121 §4.7.2.1). */
export const SHOWS = ['chat', 'away', 'xa', 'dnd'] as const;

/** Whether somebody is there, and what they say about it. */
export interface PresenceState {
  readonly available: boolean;
  readonly show?: (typeof SHOWS)[number] | undefined;
  /** Text for people. */
  readonly status?: string | undefined;
  /** -128 to 127. */
  readonly priority?: number | undefined;
}

/** A presence stanza that says this; `to` left out: to everybody who follows us. */
export function presenceElement(
  addresses: { readonly from?: string; readonly to?: string },
  { available, show, status, priority }: PresenceState,
): Element {
  const presence = xml('presence', { ...addresses, ...(available ? {} : { type: 'unavailable' }) });
  if (available && show !== undefined) presence.append(xml('show', {}, show));
  if (status !== undefined && status !== '') presence.append(xml('status', {}, readableText(status)));
  if (available && priority !== undefined) presence.append(xml('priority', {}, String(priority)));
  return presence;
}

/** What a presence without a type, or of type `unavailable`, says. Total: what makes no sense is left out. */
export function readPresence(stanza: Element): PresenceState {
  const show = SHOWS.find((each) => each === childText(stanza, 'show'));
  const status = childText(stanza, 'status');
  const priority = Number(childText(stanza, 'priority') ?? Number.NaN);
  return {
    available: attribute(stanza, 'type') !== 'unavailable',
    ...(show === undefined ? {} : { show }),
    ...(status === undefined || status === '' ? {} : { status }),
    ...(Number.isInteger(priority) && Math.abs(priority) <= 128 ? { priority } : {}),
  };
}

/** XEP-0203: since when, for a presence that the server repeats; ms since the epoch. */
export function presentSince(stanza: Element): number | undefined {
  const delay = stanza.getChild('delay', NS.delay);
  const time = Date.parse((delay && attribute(delay, 'stamp')) ?? '');
  return Number.isFinite(time) ? time : undefined;
}

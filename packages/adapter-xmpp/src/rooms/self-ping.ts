import type { Clock } from '@magpie/contract';
import { xml } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';
import { absenceOf } from '../errors.ts';
import type { Link } from '../link/link.ts';

/** Longest wait for the answer to a self-ping, ms: shorter than the supervisor waits for a probe. */
const PING_MS = 5_000;

/** Whether we are in a room; `unknown` when the link is too busy for an answer to be expected. */
export type Membership = 'in' | 'unknown' | { readonly absent: string };

/**
 * Asks a room whether we are still in it (XEP-0410), by a ping to our own occupant JID. An error unrelated to membership comes
 * from a client without ping support: we are in. A silent room may be gone although the server answers. Rejects when `signal`
 * fires or the link is no longer `current`.
 */
export async function selfPing(
  link: Link,
  occupantJid: string,
  clock: Clock,
  signal: AbortSignal,
  current: () => Link | undefined,
): Promise<Membership> {
  const late = new AbortController();
  const cancel = clock.timeout(PING_MS, () => late.abort());
  try {
    const either = AbortSignal.any([signal, late.signal]);
    const absent = absenceOf(await link.request('get', xml('ping', { xmlns: NS.ping }), occupantJid, either));
    return absent === undefined ? 'in' : { absent };
  } catch (error) {
    if (signal.aborted || current() !== link) throw error;
    return link.busy ? 'unknown' : { absent: 'the room does not answer' };
  } finally {
    cancel();
  }
}

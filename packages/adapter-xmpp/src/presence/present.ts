import type { PresenceEntry } from '@magpie/contract';
import { addressOf, contactAddress } from '../codec/addresses.ts';
import { bareJid } from '../codec/jid.ts';
import type { Contacts } from '../contacts/contacts.ts';
import type { WhoIsThere } from './who-is-there.ts';

/** Who is there at the moment: people, occupants, and the contacts of a component, if it is one. Called per question of an app. */
export function* present(
  whoIsThere: Pick<WhoIsThere, 'all'>,
  contacts: Pick<Contacts, 'all'> | undefined,
): Generator<PresenceEntry> {
  for (const { jid, inRoom, state, since } of whoIsThere.all())
    yield { address: addressOf(inRoom ? 'room' : 'jid', bareJid(jid)), key: jid, state: { ...state }, since };
  for (const [name, state] of contacts?.all() ?? [])
    yield { address: contactAddress(name), key: name, state: { ...state }, since: undefined };
}

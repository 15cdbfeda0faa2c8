import type { ReceivedEvent } from '@magpie/contract';
import { addressOf, commandAddress } from '../codec/addresses.ts';
import { bareJid, resourceOf } from '../codec/jid.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import type { CommandSession } from './command-sessions.ts';

/** The event of a command that runs: its payload is what was filled in. What answers it goes to its owner. */
export function commandEvent(
  { id, owner, contact, command }: CommandSession,
  iq: Element,
  payload: Readonly<Record<string, unknown>>,
): ReceivedEvent {
  const to = attribute(iq, 'to');
  const resource = resourceOf(owner);
  return {
    address: commandAddress(contact, command.node),
    key: bareJid(owner),
    kind: 'message',
    replyTo: addressOf('jid', owner),
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(payload)),
    headers: [],
    via: [],
    origin: {
      from: owner,
      ...(to === undefined ? {} : { to }),
      ...(resource === undefined ? {} : { resource }),
      stanzaType: 'set',
      command: command.node,
      session: id,
      replay: false,
    },
  };
}

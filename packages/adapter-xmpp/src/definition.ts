import { type Capabilities, defineAdapter } from '@magpie/contract';
import { access } from './access.ts';
import { contactAddresses, jidAddresses, roomAddresses } from './codec/addresses.ts';
import { MAPPING } from './codec/mapping.ts';
import { originSchema } from './codec/origin.ts';
import { connectionSchema, sourceSchema, targetSchema, type XmppConfig, type XmppTarget } from './config.ts';
import { XmppConnection } from './connection.ts';

/** XMPP clients, components and rooms (RFC 6120, RFC 6121, XEP-0045, XEP-0114, XEP-0198). */
export const xmppAdapter = defineAdapter({
  type: 'xmpp',
  connectionSchema,
  sourceSchema,
  targetSchema,
  originSchema,
  addresses: [roomAddresses, jidAddresses, contactAddresses],
  kinds: ['message', 'presence', 'status', 'receipt'],
  access,
  capabilities,
  guarantees: {
    source: ({ mode }: XmppConfig) => ({ level: 'at-most-once', reason: SOURCES[mode] }),
    target: ({ mode }: XmppConfig, { room, contact }: XmppTarget) => ({
      level: 'at-least-once',
      reason: contact !== undefined ? TARGETS.contact : room === undefined ? TARGETS[mode] : TARGETS.room,
    }),
  },
  guide: { title: 'XMPP', columns: { xmpp: 'XMPP' }, mapping: MAPPING },
  create: (config: XmppConfig, context) => new XmppConnection(config, context),
});

const SOURCES: Readonly<Record<XmppConfig['mode'], string>> = {
  client:
    'XMPP: a lost link loses nothing that the server still holds (XEP-0198 resumption), but a crash of the gateway or a restart of the server may lose what was not yet stored: at most once until catch-up from the archive exists',
  component:
    'XMPP: a server keeps nothing for a component that is away (XEP-0114 has no stream management): senders get an error, and what was on its way may be lost',
};

const TARGETS = {
  client:
    'confirmed when the server has taken the stanza (XEP-0198); sent again with the same origin-id when the outcome is unknown',
  component:
    'confirmed when the server has answered a question sent behind it: it has taken the stanza, which says nothing about the recipient; sent again with the same origin-id when the outcome is unknown',
  contact:
    'confirmed when it is on disk and the server has taken what tells the followers; told again at every connect',
  room: 'confirmed by the room sending it back to us; sent again with the same origin-id when the outcome is unknown',
} as const;

function capabilities(config: XmppConfig): Capabilities {
  return {
    receives: true,
    sends: true,
    fifoWindow: 100,
    // Echoes and acknowledgements stand in the stream behind the messages: only on a server that resumes sessions are they read.
    sendsWhileHeld: false,
    metadata: true,
    // The overhead of a stanza depends on its content: each one is measured before sending.
    maxBodyBytes: config.maxStanzaBytes,
  };
}

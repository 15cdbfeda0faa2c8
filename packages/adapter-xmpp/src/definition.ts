import { type Capabilities, defineAdapter } from '@magpie/contract';
import { access } from './access.ts';
import { jidAddresses, roomAddresses } from './codec/addresses.ts';
import { MAPPING } from './codec/mapping.ts';
import { originSchema } from './codec/origin.ts';
import { connectionSchema, sourceSchema, targetSchema, type XmppConfig } from './config.ts';
import { XmppConnection } from './connection.ts';

/** XMPP clients and rooms (RFC 6120, RFC 6121, XEP-0045, XEP-0198). */
export const xmppAdapter = defineAdapter({
  type: 'xmpp',
  connectionSchema,
  sourceSchema,
  targetSchema,
  originSchema,
  addresses: [roomAddresses, jidAddresses],
  kinds: ['message', 'status', 'receipt'],
  access,
  capabilities,
  guarantees: {
    source: () => ({
      level: 'at-most-once',
      reason:
        'XMPP: a lost link loses nothing that the server still holds (XEP-0198 resumption), but a crash of the gateway or a restart of the server may lose what was not yet stored: at most once until catch-up from the archive exists',
    }),
    target: (_, { room }) => ({
      level: 'at-least-once',
      reason:
        room === undefined
          ? 'confirmed when the server has taken the stanza (XEP-0198); sent again with the same origin-id when the outcome is unknown'
          : 'confirmed by the room sending it back to us; sent again with the same origin-id when the outcome is unknown',
    }),
  },
  guide: { title: 'XMPP', columns: { xmpp: 'XMPP' }, mapping: MAPPING },
  create: (config: XmppConfig, context) => new XmppConnection(config, context),
});

function capabilities(config: XmppConfig): Capabilities {
  return {
    receives: true,
    sends: true,
    fifoWindow: 100,
    // Echoes and acknowledgements stand in the stream behind the messages: only on a server that resumes sessions are they read.
    sendsWhileHeld: false,
    metadata: true,
    // What a body needs besides itself depends on its content: each stanza is measured before it goes out.
    maxBodyBytes: config.maxStanzaBytes,
  };
}

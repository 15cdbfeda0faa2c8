import {
  BODY_LIMITS,
  type Capabilities,
  defineAdapter,
  type EventKind,
  type Guarantee,
  type Statement,
} from '@magpie/contract';
import { access } from './access.ts';
import { commandAddresses, contactAddresses, jidAddresses, nodeAddresses, roomAddresses } from './codec/addresses.ts';
import { splitJid } from './codec/jid.ts';
import { MAPPING } from './codec/mapping.ts';
import { originSchema } from './codec/origin.ts';
import { commandObjections } from './commands/command-list.ts';
import { catchUpOf, connectionSchema, type XmppConfig } from './config.ts';
import { XmppConnection } from './connection.ts';
import { sourceSchema, targetSchema, type XmppSource, type XmppTarget } from './route-keys.ts';

/** XMPP clients, components and rooms (RFC 6120, RFC 6121, XEP-0045, XEP-0114, XEP-0198). */
export const xmppAdapter = defineAdapter({
  type: 'xmpp',
  connectionSchema,
  sourceSchema,
  targetSchema,
  originSchema,
  addresses: [roomAddresses, jidAddresses, contactAddresses, commandAddresses, nodeAddresses],
  kinds: ['message', 'presence', 'status', 'receipt', 'reaction'],
  access,
  capabilities,
  guarantees: {
    source: sourceGuarantee,
    target: ({ mode }: XmppConfig, { room, contact, node }: XmppTarget) => {
      const word = contact !== undefined ? 'contact' : node !== undefined ? 'node' : room !== undefined ? 'room' : mode;
      return { level: 'at-least-once', reason: TARGETS[word] };
    },
  },
  objections: { source: sourceObjection, target: targetObjection, together: commandObjections },
  statements,
  readsTerms: ({ command }: XmppSource) => command !== undefined,
  answerTo: ({ address: { scheme, segments }, origin: { from, session } }) => {
    if (scheme === roomAddresses.scheme) return roomAddresses.join(segments);
    if (scheme === nodeAddresses.scheme) return nodeAddresses.join(segments);
    if (scheme === contactAddresses.scheme) return { jid: from, from: contactAddresses.format(segments) };
    if (scheme === commandAddresses.scheme) return { jid: from, from: segments[0], session };
    return { jid: from ?? jidAddresses.format(segments) };
  },
  guide: { title: 'XMPP', columns: { xmpp: 'XMPP' }, mapping: MAPPING },
  create: (config: XmppConfig, context) => new XmppConnection(config, context),
});

/** A component hears only what is written to its addresses, an account only what is written to itself. */
function sourceObjection(
  { mode, jid: account = '' }: XmppConfig,
  { jid, contact, command, fetch, node, service }: XmppSource,
  kinds: ReadonlySet<EventKind>,
): string | undefined {
  if (node !== undefined) {
    if (/[{}]/.test(`${node}${service}`))
      return 'a node is written in full, and so is its service: each is subscribed to by its name';
    return fetch && '"fetch" has no meaning for a node: an item links to nothing';
  }
  if (command !== undefined) {
    const isOwn = mode === 'component' || contact === splitJid(account).local || contact?.startsWith('{') === true;
    if (!isOwn) return `"${contact}" is no contact of ours: an account has only itself (${splitJid(account).local})`;
    if (fetch) return '"fetch" has no meaning for a command: it links to nothing';
    if (kinds.size > 1 || !kinds.has('message')) return 'a command is an event of kind message';
    return /[{}]/.test(command) ? 'the name of a command is fixed, since people find it in a list' : undefined;
  }
  if (mode === 'client' && contact !== undefined)
    return '"contact" is an address of a component (mode: component): what is written to an account is received by "jid"';
  if (mode === 'component' && jid !== undefined && !kinds.has('presence'))
    return 'what is written to a component is received by "contact", the address that people write to; "jid" brings their presence (kind: presence)';
  return undefined;
}

function targetObjection({ mode }: XmppConfig, { from }: XmppTarget): string | undefined {
  if (mode === 'component' || from === undefined) return undefined;
  return '"from" names an address of a component (mode: component): an account sends as itself only';
}

/** What stands beside the text of a message. A fetched file is the body; presence and status say everything in theirs. */
const BESIDE_TEXT: readonly Statement[] = [
  { name: 'corrections', fields: ['origin.replaces'] },
  { name: 'retractions', fields: ['origin.retracts'] },
  { name: 'replies', fields: ['origin.reply'] },
];
const FILES: Statement = { name: 'files', fields: ['origin.file'] };
const RECEIPTS: Statement = { name: 'receipts', fields: ['kind', 'type', 'correlationId'] };

function statements({ command, fetch, node }: XmppSource, kinds: ReadonlySet<EventKind>): readonly Statement[] {
  if (command !== undefined || node !== undefined) return [];
  const ofText = kinds.has('message') ? [...BESIDE_TEXT, ...(fetch ? [] : [FILES])] : [];
  const reactions = [
    ...(kinds.has('message') ? ['origin.reaction'] : []),
    ...(kinds.has('reaction') ? ['kind', 'correlationId', 'origin.reaction'] : []),
  ];
  const isReacting = reactions.length > 0;
  return [
    ...ofText,
    ...(isReacting ? [{ name: 'reactions', fields: reactions }] : []),
    ...(kinds.has('receipt') ? [RECEIPTS] : []),
  ];
}

const SOURCES = {
  caughtUp:
    "XMPP: what was missed is read in the archive (XEP-0313) after each new login, as long as the server keeps one and has not dropped it: the connection's details and the log say where there is none",
  uncaught:
    'XMPP: a lost link loses nothing that the server still holds (XEP-0198 resumption), but a crash of the gateway or a restart of the server may lose what was not yet stored, with catchUp off',
  command:
    'XMPP: no server keeps a command (XEP-0050): one that is lost on its way is not answered, which whoever gave it sees',
  node: 'XMPP: what is published while the gateway is away is read afterwards as far as the node keeps its items, at most the last 100; what is beyond that is lost, which a possible-gap says',
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
  node: 'confirmed by the answer of the service; published again with the same id when the outcome is unknown',
  room: 'confirmed by the room sending it back to us; sent again with the same origin-id when the outcome is unknown',
} as const;

function sourceGuarantee(config: XmppConfig, { room, command, node }: XmppSource): Guarantee {
  if (command !== undefined) return { level: 'at-most-once', reason: SOURCES.command };
  if (node !== undefined) return { level: 'at-most-once', reason: SOURCES.node };
  if (config.mode === 'component' && room === undefined) return { level: 'at-most-once', reason: SOURCES.component };
  const { account, rooms } = catchUpOf(config);
  const isRead = room === undefined ? account : rooms;
  return isRead
    ? { level: 'at-least-once', reason: SOURCES.caughtUp }
    : { level: 'at-most-once', reason: SOURCES.uncaught };
}

function capabilities(): Capabilities {
  return {
    receives: true,
    sends: true,
    fifoWindow: 100,
    // Echoes and acknowledgements stand in the stream behind the messages: only on a server that resumes sessions are they read.
    sendsWhileHeld: false,
    metadata: true,
    // What does not fit into a stanza goes as a file: each one is measured before sending.
    maxBodyBytes: BODY_LIMITS.max,
  };
}

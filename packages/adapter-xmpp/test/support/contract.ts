import { adapterContract } from '@magpie/testkit';
import { xmppAdapter } from '../../src/index.ts';
import { componentFixture } from './component-site.ts';
import { nodeFixture } from './node-site.ts';
import type { ServerName } from './servers.ts';
import { serverFixture } from './site.ts';

const common = {
  definition: xmppAdapter,
  limits: { receiveWindow: 50 },
  addresses: [
    'room:ops@conference.example.org',
    'jid:user@example.org',
    'jid:user@example.org/phone',
    'jid:example.org',
    'contact:pump-7',
    'command:set-level/pump-7',
    'node:pubsub.example.org/plant/alarms',
    'node:user@example.org/urn:xmpp:tune',
  ],
  access: {
    valid: ['owner', 'admin', 'member', 'none', 'user@example.org', '*@example.org'],
    invalid: ['', 'moderator', 'example.org', 'user@example.org/phone', 'us*@example.org', '*@*'],
    decisions: [
      { entry: 'owner', origin: { room: 'r@c', affiliation: 'owner' }, permits: true },
      { entry: 'owner', origin: { room: 'r@c', affiliation: 'member' }, permits: false },
      { entry: 'owner', origin: { from: 'u@example.org' }, permits: false },
      { entry: 'u@example.org', origin: { from: 'u@example.org/phone' }, permits: true },
      { entry: '*@example.org', origin: { from: 'U@Example.org/phone' }, permits: true },
      { entry: '*@example.org', origin: { from: 'u@evil.example.org' }, permits: false },
      {
        entry: 'u@example.org',
        origin: { room: 'r@c', from: 'r@c/u@example.org', nick: 'u@example.org' },
        permits: false,
      },
      { entry: 'u@example.org', origin: { room: 'r@c', from: 'r@c/x', realJid: 'u@example.org' }, permits: true },
      { entry: '*@c', origin: { room: 'r@c', from: 'r@c/x' }, permits: false },
    ],
  },
} as const;

const ONE_STREAM =
  'confirmations come behind the messages: sends wait for 2 s, then messages are left at the server until the session is resumed';

const ONE_ORDER = 'one stream brings all rooms and contacts, and what is handled is reported in its order';

const NOT_KEPT = 'a room keeps nothing for an occupant that is gone; only a resumed session gets it again';

const NOT_KEPT_FOR_COMPONENT =
  'a server keeps nothing for a component that is away: its senders get an error (XEP-0114)';

const OWN_STORE =
  'a service says nothing of what was missed: that is compared with what the store of the connection knows, which here is a new one for each';

const NO_REPLIES = 'a node does not say who has published, so nobody is believed where answers are to go';

const NO_CONFIRMATION_READ =
  'a component has no session that could be resumed: while intake is held reading stops, and no confirmation is read';

/** The cases of every adapter, one to one and in rooms, on a real server. A file for each server, so that they run side by side. */
export function xmppContract(server: ServerName): void {
  adapterContract({
    ...common,
    name: `one-to-one messages on ${server}`,
    start: () => serverFixture(server, 'jid'),
    unsupported: {
      'send-while-held': ONE_STREAM,
      'held-place': ONE_ORDER,
      'refusing-place': 'a server takes what is for an account, whoever refuses it later',
    },
  });

  adapterContract({
    ...common,
    name: `rooms on ${server}`,
    start: () => serverFixture(server, 'room'),
    unsupported: {
      'send-while-held': ONE_STREAM,
      'held-place': ONE_ORDER,
      'unavailable-redelivered': NOT_KEPT,
      'pending-redelivered': NOT_KEPT,
      'no-overtaking': NOT_KEPT,
      'late-unavailable': NOT_KEPT,
      'kept-while-away': NOT_KEPT,
      'quiesce-keeps': NOT_KEPT,
      'pending-redelivered-after-cut': NOT_KEPT,
    },
  });
}

/** The same cases with nodes of publish-subscribe. */
export function xmppNodesContract(server: ServerName): void {
  adapterContract({
    ...common,
    name: `nodes on ${server}`,
    start: () => nodeFixture(server),
    unsupported: {
      'send-while-held': ONE_STREAM,
      'held-place': ONE_ORDER,
      'unavailable-redelivered': OWN_STORE,
      'pending-redelivered': OWN_STORE,
      'no-overtaking': OWN_STORE,
      'late-unavailable': OWN_STORE,
      'kept-while-away': OWN_STORE,
      'quiesce-keeps': OWN_STORE,
      'pending-redelivered-after-cut': OWN_STORE,
      'receive-reply-to': NO_REPLIES,
      'receive-foreign-reply-to': NO_REPLIES,
    },
  });
}

/** The same cases as a component of the server (XEP-0114): with people, whose contact it is, and in rooms. */
export function xmppComponentContract(server: ServerName): void {
  const unsupported = {
    'send-while-held': NO_CONFIRMATION_READ,
    'held-place': ONE_ORDER,
    'unavailable-redelivered': NOT_KEPT_FOR_COMPONENT,
    'pending-redelivered': NOT_KEPT_FOR_COMPONENT,
    'no-overtaking': NOT_KEPT_FOR_COMPONENT,
    'late-unavailable': NOT_KEPT_FOR_COMPONENT,
    'kept-while-away': NOT_KEPT_FOR_COMPONENT,
    'quiesce-keeps': NOT_KEPT_FOR_COMPONENT,
    'pending-redelivered-after-cut': NOT_KEPT_FOR_COMPONENT,
  };

  adapterContract({
    ...common,
    name: `contacts of a component on ${server}`,
    start: () => componentFixture(server, 'contact'),
    unsupported: {
      ...unsupported,
      'refusing-place': 'a server takes what is for an account, whoever refuses it later',
    },
  });

  adapterContract({
    ...common,
    name: `a component in rooms on ${server}`,
    start: () => componentFixture(server, 'room'),
    unsupported,
  });
}

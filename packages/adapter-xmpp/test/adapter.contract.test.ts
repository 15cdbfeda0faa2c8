import { adapterContract } from '@magpie/testkit';
import { xmppAdapter } from '../src/index.ts';
import { prosodyFixture } from './support/site.ts';

const common = {
  definition: xmppAdapter,
  limits: { receiveWindow: 50 },
  addresses: [
    'room:ops@conference.example.org',
    'jid:user@example.org',
    'jid:user@example.org/phone',
    'jid:example.org',
  ],
  access: {
    valid: ['owner', 'admin', 'member', 'none', 'user@example.org', '*@example.org'],
    invalid: ['', 'moderator', 'example.org', 'user@example.org/phone', 'us*@example.org', '*@*'],
    decisions: [
      { entry: 'owner', origin: { room: 'r@c', affiliation: 'owner' }, permits: true },
      { entry: 'owner', origin: { room: 'r@c', affiliation: 'member' }, permits: false },
      { entry: 'owner', origin: { from: 'u@example.org', affiliation: 'owner' }, permits: false },
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

adapterContract({ ...common, name: 'one-to-one messages on prosody', start: () => prosodyFixture('jid') });
adapterContract({ ...common, name: 'rooms on prosody', start: () => prosodyFixture('room') });

import { describe, expect, it } from 'vitest';
import { connectionSchema } from '../src/config.ts';
import { xmppAdapter } from '../src/index.ts';
import { sourceSchema, targetSchema } from '../src/route-keys.ts';

const MINIMAL = { jid: 'Bridge@Example.org', password: 'x' };

const problems = (keys: object): string =>
  JSON.stringify(connectionSchema.safeParse({ ...MINIMAL, ...keys }).error?.issues ?? []);

describe('configuration', () => {
  it('needs an account and a password only', () => {
    expect(connectionSchema.parse(MINIMAL)).toMatchObject({
      jid: 'bridge@example.org',
      tls: { required: true, verify: true },
      rooms: [],
      receiveWindow: 250,
      followMoved: false,
      timeout: 20_000,
    });
  });

  it.each([
    ['an address without a user', { jid: 'example.org' }, 'user@domain'],
    ['an address with a resource', { jid: 'u@example.org/x' }, 'user@domain'],
    ['another protocol', { url: 'wss://example.org' }, 'xmpp://host:port'],
    ['a room with a nick', { rooms: [{ room: 'ops@conference/nick' }] }, 'room@service'],
    ['a nick with a control character', { nick: 'a\u0007' }, 'control characters'],
    ['an unknown key', { tls: { verified: false } }, 'verified'],
    ['a size without a unit', { maxStanzaBytes: '1000' }, '64KiB'],
    ['a stanza in which nothing fits', { maxStanzaBytes: '9kB' }, 'from 10kB to 64MiB'],
    ['a stanza without bound', { maxStanzaBytes: '1TiB' }, 'from 10kB to 64MiB'],
    ['a check that never rests', { ping: '0s' }, 'from 1ms to 1h'],
    ['a check that never comes', { ping: '36525d' }, 'from 1ms to 1h'],
    ['a believed sender that is no pattern', { acceptReplyTo: ['a*b@example.org'] }, 'JID pattern'],
    ['no time for an answer', { timeout: '0s' }, 'from 100ms to 1h'],
    ['a time that no timer has', { timeout: '60d' }, 'from 100ms to 1h'],
  ])('refuses %s and says what was expected', (_, keys, expected) => {
    expect(problems(keys)).toContain(expected);
  });

  it.each([[{}], [{ room: 'a@b', jid: 'c@d' }]])('refuses %j as source and target', (keys) => {
    expect(sourceSchema.safeParse(keys).error?.issues[0]?.message).toBe('expected one of room, jid, contact and node');
    expect(targetSchema.safeParse(keys).error?.issues[0]?.message).toBe('expected one of room, jid, contact and node');
  });

  it('says honestly what a crash may cost', () => {
    const config = connectionSchema.parse(MINIMAL);
    const rooms = connectionSchema.parse({ ...MINIMAL, catchUp: { account: false } });
    const levels = (from: typeof config) =>
      [{ room: 'a@b' }, { jid: 'a@b' }].map((source) => xmppAdapter.guarantees.source(from, source).level);
    expect(levels(config)).toEqual(['at-least-once', 'at-least-once']);
    expect(levels(rooms)).toEqual(['at-least-once', 'at-most-once']);
    expect(xmppAdapter.guarantees.target(config, { room: 'a@b' })).toMatchObject({ level: 'at-least-once' });
    const secret = { mode: 'component', domain: 'd.org', secret: 'x', url: 'xmpp://127.0.0.1:1' };
    const component = connectionSchema.parse(secret);
    const sources = [{ room: 'a@b' }, { contact: 'pump' }, { node: 'n', service: 's.org' }];
    expect(sources.map((source) => xmppAdapter.guarantees.source(component, source).level)).toEqual([
      'at-least-once',
      'at-most-once',
      'at-most-once',
    ]);
    expect(connectionSchema.safeParse({ ...secret, catchUp: { account: true } }).success).toBe(false);
  });
});

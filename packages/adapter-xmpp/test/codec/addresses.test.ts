import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contactAddresses, jidAddresses, roomAddresses } from '../../src/codec/addresses.ts';
import { bareJid, escapeLocal, jidProblem, normalJid, unescapeLocal } from '../../src/codec/jid.ts';

describe('jid addresses', () => {
  it.each([
    ['user@example.org', ['user', 'example.org']],
    ['user@example.org/phone/2@home', ['user', 'example.org', 'phone/2@home']],
    ['example.org', ['', 'example.org']],
    ['example.org/server', ['', 'example.org', 'server']],
  ])('reads %s', (text, segments) => {
    expect(jidAddresses.parse(text)).toEqual(segments);
    expect(jidAddresses.format(segments)).toBe(text);
  });

  it('compares patterns in lower case, but leaves the names of captures alone', () => {
    expect(jidAddresses.splitPattern({ jid: '{User}@Example.ORG/Phone' })).toEqual(['{User}', 'example.org', 'Phone']);
    expect(roomAddresses.splitPattern({ room: 'Ops@conference.Example.org' })).toEqual([
      'ops',
      'conference.example.org',
    ]);
  });

  it.each([
    ['user@', 'without a domain'],
    ['us er@example.org', 'local part'],
    ['user@exa mple.org', 'domain'],
    ['user@a@b', 'domain'],
    ['user@example.org/', 'empty resource'],
    ['\\20user@example.org', 'escaped space'],
    ['us\u0007er@example.org', 'control character'],
    [`${'é'.repeat(512)}@example.org`, '1024 bytes'],
    ['\ud800@example.org', 'surrogate'],
  ])('refuses %j: %s', (text, reason) => {
    expect(jidAddresses.check(jidAddresses.split({ jid: text }))).toContain(reason);
  });

  it('takes a local part of exactly 1023 bytes', () => {
    expect(jidProblem({ local: `${'é'.repeat(511)}x`, domain: 'example.org' })).toBeUndefined();
  });

  it.each(['room@service/nick', 'service'])('refuses %s as a room', (text) => {
    expect(roomAddresses.check(roomAddresses.split({ room: text }))).toBeDefined();
  });
});

describe('escaping of local parts', () => {
  it.each([
    ["d'artagnan", 'd\\27artagnan'],
    ['space cadet', 'space\\20cadet'],
    ['a@b/c', 'a\\40b\\2fc'],
    ['c:\\net', 'c\\3a\\net'],
    ['c\\5csand', 'c\\5c5csand'],
    ['plain', 'plain'],
  ])('writes %s as %s (XEP-0106)', (text, escaped) => {
    expect(escapeLocal(text)).toBe(escaped);
    expect(unescapeLocal(escaped)).toBe(text);
  });

  it('is reversible and never leaves a separator', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'\\25cf@/ :a0&\'"<>é😀') }), (text) => {
        const escaped = escapeLocal(text);
        expect(unescapeLocal(escaped)).toBe(text);
        expect(escaped).not.toMatch(/[@/ ]/);
      }),
    );
  });
});

describe('comparison of addresses', () => {
  it('ignores case in local part and domain, not in the resource', () => {
    expect(normalJid('User@Example.org/Phone')).toBe('user@example.org/Phone');
    expect(bareJid('User@Example.org/Phone')).toBe('user@example.org');
  });
});

it('spellings that servers take for one address compare equal, a resource as it is', () => {
  const same = ['OPS@Conference.example.org', 'o\u00adps@conference.example.org.', '\uff4fps@conference.example.org'];
  for (const room of same)
    expect(roomAddresses.comparable?.(roomAddresses.split({ room }))).toEqual(['ops', 'conference.example.org']);
  const full = jidAddresses.split({ jid: 'A@example.org/Phone' });
  expect(jidAddresses.comparable?.(full)).toEqual(['a', 'example.org', 'Phone']);
  expect(contactAddresses.comparable?.(['Pump-7'])).toEqual(['pump-7']);
});

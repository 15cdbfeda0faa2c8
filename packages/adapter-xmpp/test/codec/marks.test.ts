import { markOf } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { marksOf, referencesOf } from '../../src/codec/marks.ts';
import { originOf, originSchema } from '../../src/codec/origin.ts';
import { parseStanzas } from '../support/parse.ts';

const HERE = { occupant: undefined, inRoom: true, stampedBy: undefined, delayed: undefined };
const message = (inside: string) =>
  parseStanzas(`<message from="ops@rooms/alice" type="groupchat"><body>!pump-1 off</body>${inside}</message>`)[0]!;

describe('a message that is more than its text', () => {
  it.each([
    ['a correction', '<replace id="m1" xmlns="urn:xmpp:message-correct:0"/>', { replaces: 'm1' }],
    ['a correction of nothing', '<replace xmlns="urn:xmpp:message-correct:0"/>', { replaces: '' }],
    [
      'a retraction',
      '<retract id="m1" xmlns="urn:xmpp:message-retract:1"/><fallback xmlns="urn:xmpp:fallback:0"/>',
      { retracts: 'm1', fallback: true },
    ],
    [
      'a retraction as it was written before',
      '<apply-to id="m1" xmlns="urn:xmpp:fasten:0"><retract xmlns="urn:xmpp:message-retract:0"/></apply-to>',
      { retracts: 'm1' },
    ],
    [
      'a retraction by a moderator',
      '<apply-to id="m1" xmlns="urn:xmpp:fasten:0"><moderated by="ops@rooms/boss" xmlns="urn:xmpp:message-moderate:0"/></apply-to>',
      { retracts: 'm1' },
    ],
    [
      'an answer with a quotation',
      '<reply id="m1" to="ops@rooms/bob" xmlns="urn:xmpp:reply:0"/><fallback for="urn:xmpp:reply:0" xmlns="urn:xmpp:fallback:0"><body start="0" end="7"/></fallback>',
      { fallback: true },
    ],
    ['OMEMO', '<encrypted xmlns="eu.siacs.conversations.axolotl"><header sid="1"/></encrypted>', { encrypted: true }],
    ['OMEMO 2', '<encrypted xmlns="urn:xmpp:omemo:2"/>', { encrypted: true }],
    ['any encryption', '<encryption namespace="urn:x" xmlns="urn:xmpp:eme:0"/>', { encrypted: true }],
  ])('is marked: %s', (_, inside, marks) => {
    expect(marksOf(message(inside))).toEqual(marks);
    const origin = originOf(message(inside), HERE);
    expect(originSchema.parse(origin)).toMatchObject(marks);
    expect(markOf(origin)).toBeDefined();
  });

  it.each(['', '<reply id="m1" xmlns="urn:xmpp:reply:0"/>', '<replace id="m1" xmlns="urn:example:other"/>'])(
    'is not marked without one: %j',
    (inside) => {
      expect(marksOf(message(inside))).toEqual({});
      expect(markOf(originOf(message(inside), HERE))).toBeUndefined();
    },
  );
});

describe('a message that refers to another one', () => {
  it.each([
    ['<reply id="m1" to="ops@rooms/bob" xmlns="urn:xmpp:reply:0"/>', { reply: { id: 'm1', to: 'ops@rooms/bob' } }],
    ['<reply id="m1" xmlns="urn:xmpp:reply:0"/>', { reply: { id: 'm1' } }],
    ['<reply to="ops@rooms/bob" xmlns="urn:xmpp:reply:0"/>', {}],
    [
      '<reactions id="m1" xmlns="urn:xmpp:reactions:0"><reaction>👍</reaction><reaction>👀</reaction></reactions>',
      { reaction: { id: 'm1', emojis: ['👍', '👀'] } },
    ],
    ['<reactions id="m1" xmlns="urn:xmpp:reactions:0"/>', { reaction: { id: 'm1', emojis: [] } }],
    ['<reactions xmlns="urn:xmpp:reactions:0"><reaction>👍</reaction></reactions>', {}],
  ])('says which: %s', (inside, references) => {
    expect(referencesOf(message(inside))).toEqual(references);
    expect(originSchema.parse(originOf(message(inside), HERE))).toMatchObject(references);
  });
});

import { describe, expect, it } from 'vitest';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { Occupants } from '../../src/rooms/occupants.ts';

const presence = (nick: string, type?: string): Element =>
  xml(
    'presence',
    { from: `ops@rooms/${nick}`, ...(type === undefined ? {} : { type }) },
    xml('x', { xmlns: NS.mucUser }, xml('item', { affiliation: 'member', role: 'participant' })),
  );
const message = (nick: string): Element => xml('message', { from: `ops@rooms/${nick}`, type: 'groupchat' });

describe('the occupants of a room', () => {
  it('are remembered until memory for them is used up, and those known stay known', () => {
    const occupants = new Occupants();
    expect(occupants.update(presence('alice'))).toBe(true);
    const long = 'n'.repeat(1_000);
    let taken = 0;
    while (taken < 100_000 && occupants.update(presence(`${long}${taken}`))) taken++;
    expect(taken).toBeGreaterThan(3_000);
    expect(taken).toBeLessThan(5_000);
    expect(occupants.senderOf(message('alice'))).toMatchObject({ affiliation: 'member' });
    expect(occupants.senderOf(message(`${long}${taken}`))).toBeUndefined();
    expect(occupants.update(presence('alice'))).toBe(true);
  });

  it('give their memory back when they leave', () => {
    const occupants = new Occupants();
    const nick = (index: number): string => `${'n'.repeat(1_000)}${index}`;
    const full = Array.from({ length: 10_000 }, (_, index) => {
      const known = occupants.update(presence(nick(index)));
      occupants.update(presence(nick(index), 'unavailable'));
      return !known;
    });
    expect(full).not.toContain(true);
    expect(occupants.has(nick(1))).toBe(false);
  });
});

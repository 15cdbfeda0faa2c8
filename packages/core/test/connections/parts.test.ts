import { createLineLogger } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { Parts } from '../../src/connections/parts.ts';

function made() {
  const lines: [string, object, string][] = [];
  const time = { now: 0 };
  const logger = createLineLogger((level, fields, message) => void lines.push([level, fields, message]));
  return { parts: new Parts('chat', logger, { monotonic: () => time.now }), lines, time };
}

const warnings = (lines: readonly (readonly [string, object, string])[]) => lines.filter(([level]) => level === 'warn');

describe('a part of a connection that does not work', () => {
  it('is one line with connection, part and reason, and counts as troubled until it works', () => {
    const { parts, lines } = made();
    parts.set('room ops@x', 'joining', false);
    for (let tries = 0; tries < 20; tries++) parts.set('room ops@x', 'not permitted: banned', true);
    expect(lines).toEqual([
      [
        'warn',
        { connection: 'chat', place: 'room ops@x', reason: 'not permitted: banned' },
        'room ops@x: not permitted: banned',
      ],
    ]);
    expect([parts.troubled(), parts.states()]).toEqual([['room ops@x'], { 'room ops@x': 'not permitted: banned' }]);
    parts.set('room ops@x', 'joined as magpie', false);
    expect([parts.troubled(), parts.states()]).toEqual([[], { 'room ops@x': 'joined as magpie' }]);
    parts.set('room ops@x', undefined, false);
    expect(parts.states()).toEqual({});
  });

  it('is a warning once a minute at most, however often it comes and goes', () => {
    const { parts, lines, time } = made();
    const flap = (): void => {
      parts.set('queue inbox', 'missing', true);
      parts.set('queue inbox', undefined, false);
    };
    for (let second = 0; second < 59; second++, time.now += 1000) flap();
    expect(warnings(lines)).toHaveLength(1);
    time.now += 1000;
    flap();
    expect(warnings(lines)).toHaveLength(2);
    parts.set('queue other', 'missing', true);
    expect(warnings(lines)).toHaveLength(3);
  });
});

import { describe, expect, it } from 'vitest';
import { event, problemsOf, route, toOffice } from '../support/adapters.ts';

const rateOf = (parts: object) => {
  const [match] = route({ ...parts }).match(event());
  return match?.target.pacing?.rate;
};
const alarms = (summary: string, from = 'a/{device}') => ({
  from: { connection: 'floor', path: from },
  rate: { max: 5, per: '1m', summary },
});
const text = (parts: object, count: number, values: Readonly<Record<string, readonly string[]>>): string =>
  Buffer.from(rateOf(parts)?.summary?.body(count, values).body ?? []).toString();

describe('a rate', () => {
  it('of the route is that of its targets, unless they say their own or none', () => {
    const to = [
      toOffice(),
      toOffice({ desk: 'd2', rate: { max: 1, per: '10s' } }),
      toOffice({ desk: 'd3', rate: null }),
    ];
    const { targets } = route({ rate: { max: 5, per: '1m' }, to });
    expect(targets.map(({ pacing }) => pacing?.rate)).toEqual([
      { max: 5, per: 60_000 },
      { max: 1, per: 10_000 },
      undefined,
    ]);
  });

  it('gives deliveries up, which "guarantee" must know', () => {
    const [target] = route({ rate: { max: 5, per: '1m' } }).targets;
    expect(target?.guarantee).toMatchObject({ level: 'at-most-once', reason: expect.stringContaining('"rate"') });
  });
});

describe('a summary', () => {
  it('says how many there were, and names what the captures had', () => {
    const parts = alarms('${count} more from ${devices}');
    expect(text(parts, 295, { devices: ['pump', 'fan'] })).toBe('295 more from pump, fan');
    expect(rateOf(parts)?.summary?.values(event())).toEqual({ devices: 'x' });
  });

  it('is written with the functions of expressions', () => {
    const parts = alarms('${count > 1 ? "alarms" : "alarm"} of ${size(devices)}: ${devices.join("/")}');
    expect(text(parts, 2, { devices: ['a', 'b'] })).toBe('alarms of 2: a/b');
  });

  it('names a captured tail as in an address, and no more than 128 characters of a value', () => {
    const parts = alarms('${rests}', 'a/{rest*}');
    const long = event({ address: { scheme: 'path', segments: ['a', 'b', 'c'.repeat(180)] } });
    const made = route({ ...parts })
      .match(long)[0]
      ?.target.pacing?.rate?.summary?.values(long);
    expect(made?.rests).toMatch(/^b\/c{125}…$/);
  });
});

describe('what is wrong with "rate"', () => {
  const wrong = (parts: object) =>
    problemsOf({ ...parts }).map(({ pointer, message, hint }) => [pointer, message, hint]);

  it.each([
    [{ rate: { max: 0, per: '1m' } }, '/routes/r/rate/max', ''],
    [{ rate: { max: 5, per: '10ms' } }, '/routes/r/rate/per', '100ms to 24h'],
    [{ rate: { max: 5 } }, '/routes/r/rate/per', ''],
    [{ to: toOffice({ rate: { max: 5, per: '1m', sumary: 'x' } }) }, '/routes/r/to/rate/sumary', ''],
    [alarms('${device}'), '/routes/r/rate/summary', 'Unknown variable: device'],
    [alarms('${payload.x}'), '/routes/r/rate/summary', 'Unknown variable: payload'],
  ])('%j is said with its place', (parts, pointer, message) => {
    expect(wrong(parts)[0]?.slice(0, 2)).toEqual([pointer, expect.stringContaining(message)]);
  });

  it('comes with what a summary knows', () => {
    expect(wrong(alarms('${device}'))[0]?.[2]).toContain(
      'a summary knows count and the values of the captures: devices',
    );
    expect(wrong(alarms('${device}', 'a/b'))[0]?.[2]).toContain('the route captures nothing');
  });

  it('is that it has no meaning past the log', () => {
    const from = { connection: 'floor', path: 'a/{b}', durability: 'none' };
    expect(wrong({ from, rate: { max: 5, per: '1m' } })[0]?.[1]).toContain('no meaning with "durability: none"');
  });
});

import { INSTANTS, isInstant, isoInstant, type ReceivedEvent, withInstants } from '@magpie/contract';
import { expect, it } from 'vitest';

const received = (times: Partial<ReceivedEvent>): ReceivedEvent => ({
  ...{ address: { scheme: 'topic', segments: ['a'] }, kind: 'message', body: new Uint8Array() },
  ...{ headers: [], via: [], origin: {} },
  ...times,
});

const timesOf = ({ time, expiresAt }: ReceivedEvent) => ({ time, expiresAt });

it('any number can be written as a time', () => {
  for (const ms of [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    8.64e15 + 1,
    1e300,
    -1e300,
    2 ** 63,
  ]) {
    expect(isoInstant(ms)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
  expect([isoInstant(0), isoInstant(1e300)]).toEqual(['1970-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z']);
});

it('times in range are kept as they are', () => {
  const event = received({ time: 1, expiresAt: INSTANTS.last });
  expect(withInstants(event)).toBe(event);
});

it.each([
  [{ time: Number.POSITIVE_INFINITY, expiresAt: 5 }, { expiresAt: 5 }],
  [{ time: Number.NaN }, {}],
  [{ time: 5, expiresAt: 1e17 }, { time: 5 }],
  [{ time: 5, expiresAt: Number.NaN }, { time: 5 }],
  [
    { time: 5, expiresAt: -1e17 },
    { time: 5, expiresAt: INSTANTS.first },
  ],
  [{ time: 1e17, expiresAt: 1e17 }, {}],
])('the times %o of a sender become %o', (given, expected) => {
  expect(timesOf(withInstants(received(given)))).toEqual({ time: undefined, expiresAt: undefined, ...expected });
});

it('a time that can be written is one that JavaScript can hold', () => {
  expect(isInstant(INSTANTS.first) && isInstant(INSTANTS.last)).toBe(true);
  expect([isInstant(INSTANTS.first - 1), isInstant(INSTANTS.last + 1), isInstant(Number.NaN)]).toEqual([
    false,
    false,
    false,
  ]);
});

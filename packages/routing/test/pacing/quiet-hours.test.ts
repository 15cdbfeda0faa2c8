import { describe, expect, it } from 'vitest';
import { event, problemsOf, route, toOffice } from '../support/adapters.ts';

const hoursOf = (keys: object) => {
  const [target] = route({ quiet: { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin', ...keys } }).targets;
  return target!.pacing!.quiet!;
};
/** Whether it is quiet at a time, and when that changes. */
const at = (keys: object, time: string): string => {
  const { isQuiet, until } = hoursOf(keys).state(Date.parse(time));
  return `${isQuiet ? 'quiet' : 'loud'} until ${new Date(until).toISOString()}`;
};

describe('quiet hours', () => {
  it('go over midnight in the time of their zone', () => {
    expect(at({}, '2026-01-10T20:59:59.999Z')).toBe('loud until 2026-01-10T21:00:00.000Z');
    expect(at({}, '2026-01-10T21:00:00Z')).toBe('quiet until 2026-01-11T05:00:00.000Z');
    expect(at({}, '2026-01-11T04:59:59.999Z')).toBe('quiet until 2026-01-11T05:00:00.000Z');
    expect(at({}, '2026-01-11T05:00:00Z')).toBe('loud until 2026-01-11T21:00:00.000Z');
  });

  it('lie within a day', () => {
    const noon = { from: '12:00', to: '13:30', timeZone: 'Asia/Kolkata' };
    expect(at(noon, '2026-07-01T06:30:00Z')).toBe('quiet until 2026-07-01T08:00:00.000Z');
    expect(at(noon, '2026-07-01T08:00:00Z')).toBe('loud until 2026-07-02T06:30:00.000Z');
  });

  it('begin on their days, and end on the next one', () => {
    const weekend = { days: ['fri', 'sat'] };
    expect(at(weekend, '2026-07-02T21:00:00Z')).toBe('loud until 2026-07-03T20:00:00.000Z');
    expect(at(weekend, '2026-07-05T03:00:00Z')).toBe('quiet until 2026-07-05T04:00:00.000Z');
    expect(at(weekend, '2026-07-05T21:00:00Z')).toBe('loud until 2026-07-10T20:00:00.000Z');
  });

  it('are an hour shorter in the night in which the clock is set on', () => {
    expect(at({}, '2026-03-28T21:00:00Z')).toBe('quiet until 2026-03-29T04:00:00.000Z');
    expect(at({}, '2026-03-29T04:00:00Z')).toBe('loud until 2026-03-29T20:00:00.000Z');
  });

  it('are an hour longer in the night in which it is set back', () => {
    expect(at({}, '2026-10-24T20:00:00Z')).toBe('quiet until 2026-10-25T05:00:00.000Z');
  });

  it('that end at a time that does not exist end as much later', () => {
    expect(at({ to: '02:30' }, '2026-03-28T22:00:00Z')).toBe('quiet until 2026-03-29T01:30:00.000Z');
    expect(at({ from: '02:30', to: '04:00' }, '2026-03-29T00:00:00Z')).toBe('loud until 2026-03-29T01:30:00.000Z');
  });

  it('that end at a time that comes twice end the first time, and do not come back the second time', () => {
    expect(at({ to: '02:30' }, '2026-10-24T22:00:00Z')).toBe('quiet until 2026-10-25T00:30:00.000Z');
    expect(at({ to: '02:30' }, '2026-10-25T01:10:00Z')).toBe('loud until 2026-10-25T21:00:00.000Z');
  });

  it('let through what "unless" says, in an order of its own', () => {
    const quiet = { from: '22:00', to: '06:00', unless: 'payload.severity >= 3' };
    const routes = route({ quiet, key: '${b}' });
    const keyOf = (severity: number) => routes.match(event({ json: { severity } }))[0]?.key;
    expect([keyOf(1), keyOf(3)]).toEqual(['x', 'x (unless)']);
    const [broken] = routes.match(event({ json: {} }));
    expect(broken?.error?.message).toContain('/routes/r/quiet/unless');
  });

  it('weaken the guarantee only where they give something up', () => {
    const level = (keys: object) =>
      route({ quiet: { from: '22:00', to: '06:00', ...keys } }).targets[0]?.guarantee.level;
    expect([level({}), level({ then: 'drop' }), level({ then: 'summary', summary: 'x' })]).toEqual([
      'at-least-once',
      'at-most-once',
      'at-most-once',
    ]);
  });
});

describe('what is wrong with "quiet"', () => {
  const wrong = (quiet: object) =>
    problemsOf({ quiet: { from: '22:00', to: '06:00', ...quiet } }).map(({ pointer, message, hint }) => [
      pointer,
      `${message} ${hint}`,
    ]);

  it.each([
    [{ timeZone: 'Europe/Berln' }, '/timeZone', 'did you mean "Europe/Berlin"?'],
    [{ to: '22:00' }, '/to', 'expected another time than "from"'],
    [{ from: '24:00' }, '/from', 'a time of day from "00:00" to "23:59"'],
    [{ from: '9:00' }, '/from', 'a time of day'],
    [{ days: ['monday'] }, '/days/0', 'mon'],
    [{ days: [] }, '/days', ''],
    [{ then: 'summary' }, '/summary', 'expected the text of the summary'],
    [{ summary: 'x' }, '/summary', 'expected no summary'],
    [{ then: 'summary', summary: '${cont}' }, '/summary', 'did you mean "count"?'],
    [{ unless: 'b' }, '/unless', 'expected a condition (bool), got an expression of type string'],
  ])('%j is said with its place', (quiet, pointer, message) => {
    expect(wrong(quiet)[0]).toEqual([`/routes/r/quiet${pointer}`, expect.stringContaining(message)]);
  });

  it('is pointed out when what is held would be given up before it may be sent', () => {
    const quiet = { from: '22:00', to: '06:00' };
    expect(problemsOf({ to: toOffice({ quiet, retry: { maxAge: '1h' } }) })).toMatchObject([
      { severity: 'warning', pointer: '/routes/r/to/quiet', message: expect.stringContaining('"retry.maxAge"') },
    ]);
  });
});

describe('"onlyOnChange"', () => {
  const filterOf = (onlyOnChange: unknown) => route({ onlyOnChange }).targets[0]?.pacing?.change;

  it('compares the body, or what a template makes of the event', () => {
    expect(filterOf(true)).toEqual({});
    expect(filterOf('${b} ${payload.state}')?.value?.(event({ json: { state: 'on' } }))).toBe('x on');
    expect(filterOf(false)).toBeUndefined();
  });

  it('must not be the same for every event', () => {
    expect(problemsOf({ onlyOnChange: 'payload.state' })).toMatchObject([
      { pointer: '/routes/r/onlyOnChange', hint: expect.stringContaining('${payload.state}') },
    ]);
  });
});

import type { Event } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { compile, event, problemsOf } from '../support/adapters.ts';

const office = (text: string, rest: object = {}) => ({
  from: { connection: 'office', desk: '{who}', text },
  allow: ['boss'],
  to: { connection: 'floor', path: 'x' },
  ...rest,
});
const LINE = '${who}: not understood, "${text}"';

const said = (content: string, role = 'boss', rest: Partial<Event> = {}) =>
  event({ source: 'office', address: { scheme: 'desk', segments: ['d7'] }, content, origin: { role }, ...rest });

const answerTo = (routes: Record<string, unknown>, of: Event) => {
  const compiled = compile(routes);
  expect(compiled.problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const answer = compiled.routes.remark(of);
  return answer && Buffer.from(answer.body).toString();
};

describe('a route with "otherwise" answers', () => {
  const one = { set: office('!set {device} {state}', { otherwise: LINE, when: 'state != "broken"' }) };

  it.each([
    ['words that do not fit', '!set pump', 'boss', true],
    ['somebody who may not', '!set pump on', 'clerk', true],
    ['what its condition excludes', '!set pump broken', 'boss', true],
    ['not a command that it takes', '!set pump on', 'boss', false],
    ['not what is no command', 'we should set pump on', 'clerk', false],
    ['not another command', '!settle', 'boss', false],
  ])('%s', (_, text, role, isAnswered) => {
    expect(answerTo(one, said(text, role))).toBe(isAnswered ? `d7: not understood, "${text}"` : undefined);
  });

  it('not what another route with a text takes, but what one without only carries', () => {
    const other = { help: office('!set help') };
    const bridge = { bridge: { ...office(''), from: { connection: 'office', desk: '{who}' } } };
    expect(answerTo({ ...one, ...other }, said('!set help'))).toBeUndefined();
    expect(answerTo({ ...one, ...bridge }, said('!set help'))).toBe('d7: not understood, "!set help"');
  });

  it('once, the first of several', () => {
    const several = { a: office('!{x}', { otherwise: 'a' }), b: office('!{x} {y}', { otherwise: 'b' }) };
    expect(answerTo(several, said('!x y z'))).toBe('a');
  });

  it('not what was not said to it now, nor what it said itself, nor another place', () => {
    expect(answerTo(one, said('!set', 'boss', { origin: { role: 'boss', replay: true } }))).toBeUndefined();
    expect(answerTo(one, said('!set', 'boss', { via: ['gw'] }))).toBeUndefined();
    expect(answerTo(one, said('!set', 'boss', { kind: 'status' }))).toBeUndefined();
    expect(answerTo(one, event({ content: '!set' }))).toBeUndefined();
  });

  it('in upper and lower case where that does not count', () => {
    const from = { connection: 'office', desk: '{who}', text: '!set {device}', ignoreCase: true };
    expect(answerTo({ set: { ...office(''), from, otherwise: LINE } }, said('!SET'))).toBe(
      'd7: not understood, "!SET"',
    );
    expect(answerTo({ set: { ...office(''), from, otherwise: LINE } }, said('!SET pump'))).toBeUndefined();
  });
});

describe('what is wrong with it', () => {
  it.each([
    [{ ...office(''), from: { connection: 'office', desk: 'd' }, otherwise: 'x' }, 'routes with a text pattern'],
    [office('!{x}', { otherwise: '${x}' }), 'x'],
    [{ from: { connection: 'mute', path: 'a', text: '!' }, otherwise: 'x' }, 'cannot send'],
    [{ ...office(''), from: { connection: 'office', desk: 'd', ignoreCase: true } }, '"ignoreCase" is for a source'],
  ])('is said: %#', (parts, message) => {
    const problems = problemsOf(parts as Record<string, unknown>).filter(({ severity }) => severity === 'error');
    expect(problems).toMatchObject([{ message: expect.stringContaining(message) }]);
  });
});

describe('a command said while the gateway was away', () => {
  const late = (text: string, role = 'boss') => said(text, role, { origin: { role, late: true } });
  const route = (rest: object = {}) => ({
    set: office('!set {device} {state}', { when: 'state != "broken"', ...rest }),
  });

  it('is reported where it was said, in the words of the route if it has any', () => {
    const own = { onLate: '${who}: too late for ${device}' };
    expect(answerTo(route(), late('!set pump on'))).toBe(
      'Not run, because it was said while the gateway was away: !set pump on',
    );
    expect(answerTo(route(own), late('!set pump on'))).toBe('d7: too late for pump');
    expect(answerTo(route({ ...own, late: 'report', otherwise: 'what?' }), late('!set pump on'))).toBe(
      'd7: too late for pump',
    );
  });

  it('is counted where there have been many, in the words of the route if it has any', () => {
    const moreOf = (rest: object): string => {
      const answer = compile(route(rest)).routes.remark(late('!set pump on'));
      return Buffer.from(answer?.more?.(295).body ?? '').toString();
    };
    expect(moreOf({})).toBe('Not run, because they were said while the gateway was away: 295 more');
    expect(moreOf({ lateSummary: 'and ${count} others' })).toBe('and 295 others');
    expect(problemsOf(route({ late: 'skip', lateSummary: 'and ${count} others' }).set)).toMatchObject([
      { message: expect.stringContaining('"lateSummary" is for routes') },
    ]);
  });

  it('is not reported when it would not have run in time, when it runs now, or on request', () => {
    for (const [text, role] of [
      ['!set pump broken', 'boss'],
      ['!set pump on', 'clerk'],
      ['hello', 'boss'],
    ] as const) {
      expect(answerTo(route(), late(text, role))).toBeUndefined();
    }
    expect(answerTo(route(), said('!set pump on'))).toBeUndefined();
    expect(answerTo(route({ late: 'skip' }), late('!set pump on'))).toBeUndefined();
    expect(answerTo(route({ late: 'run' }), late('!set pump on'))).toBeUndefined();
    const other = { run: office('!set pump {state}', { late: 'run' }) };
    expect(answerTo({ ...route(), ...other }, late('!set pump on'))).toBeUndefined();
  });

  it('has words only where it is reported', () => {
    const messages = (rest: object, text = '!set {device}') =>
      compile({ set: office(text, rest) })
        .problems.filter(({ severity }) => severity === 'error')
        .map(({ message }) => message);
    expect(messages({ late: 'run', onLate: 'x' })).toEqual(['"onLate" has no meaning with "late: run"']);
    const from = { connection: 'office', desk: '{who}' };
    expect(messages({ from, onLate: 'x' })).toEqual(['"onLate" is for routes with a text pattern']);
  });
});

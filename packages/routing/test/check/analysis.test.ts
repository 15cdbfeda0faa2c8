import { describe, expect, it } from 'vitest';
import { compile, problemsOf, route, toOffice } from '../support/adapters.ts';

const hop = (from: string, path: string, to: string, target: string, more: Record<string, unknown> = {}) => ({
  from: { connection: from, path },
  to: { connection: to, path: target },
  ...more,
});

const messages = (routes: unknown): readonly string[] => compile(routes).problems.map(({ message }) => message);

const errors = (routes: unknown) => compile(routes).problems.filter(({ severity }) => severity === 'error');

describe('a loop of routes', () => {
  const there = hop('yard', 'a/{x}', 'bare', 'b/${x}');
  const back = hop('bare', 'b/+', 'yard', 'a/1');

  it('through a connection without metadata is an error that names it', () => {
    const { problems } = compile({ there, back });
    expect(problems).toMatchObject([{ severity: 'error', pointer: '/routes/there/to' }]);
    expect(problems[0]?.message).toBe(
      'messages would loop, "there" → "back" → "there", and "bare" carries no mark to stop them',
    );
  });

  it('is accepted with allowEcho', () => {
    expect(messages({ there: { ...there, allowEcho: true }, back })).toEqual([]);
    expect(messages({ there, back: { ...back, allowEcho: true } })).toEqual([]);
  });

  it('is none when the addresses do not meet', () => {
    expect(errors({ there, back: hop('bare', 'c/+', 'yard', 'a/1') })).toEqual([]);
    expect(messages({ there, back: hop('bare', 'b/+', 'yard', 'z/1') })).toEqual([]);
  });

  it('is left to the guard at run time when every link carries metadata', () => {
    expect(messages({ there: hop('yard', 'a/#', 'floor', 'b'), back: hop('floor', 'b', 'yard', 'a/1') })).toEqual([]);
  });

  it('may be one route that feeds itself', () => {
    expect(messages({ self: hop('bare', 'a/#', 'bare', 'a/copy') })).toHaveLength(1);
    expect(errors({ self: hop('bare', 'a/#', 'bare', 'b/copy') })).toHaveLength(0);
  });

  it('is found over any number of routes and by spliced tails', () => {
    const routes = {
      one: hop('bare', 'a/{rest*}', 'yard', 'b/${rest}'),
      two: hop('yard', 'b/x/y/z', 'floor', 'c/${event.ref}'),
      three: hop('floor', 'c/{x}', 'bare', 'a/${x}'),
      aside: hop('floor', 'c/{x}', 'yard', 'nowhere'),
    };
    expect(messages(routes)).toEqual([
      'messages would loop, "three" → "one" → "two" → "three", and "bare" carries no mark to stop them',
    ]);
  });

  it('is assumed where addresses cannot be compared', () => {
    const routes = {
      there: { from: { connection: 'office', desk: 'd' }, to: { connection: 'bare', path: 'x' }, allow: ['boss'] },
      back: { from: { connection: 'bare', path: 'x' }, to: { connection: 'office', board: 'b' } },
    };
    expect(messages(routes)).toHaveLength(1);
  });
});

describe('a source with durability none', () => {
  const unlogged = (more: Record<string, unknown>, target: Record<string, unknown> = {}) => ({
    r: {
      from: { connection: 'floor', path: 'a', durability: 'none' },
      to: { connection: 'yard', path: 'x', ...target },
      ...more,
    },
  });

  it('fails a guarantee of at least once, and is named as the link that breaks it', () => {
    const { problems } = compile(unlogged({ guarantee: 'at-least-once' }));
    expect(problems).toMatchObject([
      { message: 'at-least-once cannot hold: from floor: "durability: none" bypasses the log' },
    ]);
  });

  it.each(['retry', 'order', 'key'])('has no use for "%s", which needs the log', (key) => {
    const value = { retry: { attempts: 2 }, order: 'strict', key: 'k' }[key];
    expect(compile(unlogged({ [key]: value })).problems).toMatchObject([{ severity: 'error', atKey: true }]);
  });

  it.each(['start', 'backlog'])('has no use for "%s" of a target either', (key) => {
    const value = { start: 'earliest', backlog: { bytes: '1MiB' } }[key];
    const { problems } = compile(unlogged({}, { [key]: value }));
    expect(problems).toMatchObject([{ message: 'this has no meaning with "durability: none"' }]);
    expect(problems[0]?.pointer).toMatch(new RegExp(`/to/${key}$`));
  });
});

describe('the guarantee of a target', () => {
  it('is that of its weakest link, which it names', () => {
    const routes = route({
      from: { connection: 'floor', path: 'a' },
      to: [
        { connection: 'yard', path: 'x' },
        { connection: 'yard', path: 'y', sure: false },
      ],
    });
    expect(routes.guarantees()).toMatchObject([
      {
        ...{ route: 'r', consumer: 'r/yard/path:x' },
        guarantee: {
          level: 'at-least-once',
          reason: 'from floor: receiving is confirmed; to yard: sending is confirmed',
        },
      },
      {
        ...{ route: 'r', consumer: 'r/yard/path:y' },
        guarantee: { level: 'at-most-once', reason: 'to yard: sending is not confirmed' },
      },
    ]);
  });

  it.each([
    [{ from: { connection: 'floor', path: 'a', sure: false } }, 'from floor: receiving is not confirmed'],
    [{ to: { connection: 'yard', path: 'x', sure: false } }, 'to yard: sending is not confirmed'],
    [{ to: { connection: 'yard', path: 'x', sure: '${payload.s}' } }, 'to yard: sending is not confirmed'],
    [{ retry: { then: 'drop' } }, '"retry.then: drop" gives deliveries up'],
    [{ to: toOffice({ backlog: { onFull: 'drop' } }) }, '"backlog.onFull: drop" gives deliveries up'],
  ])('cannot be demanded when %j breaks it', (parts, reason) => {
    expect(problemsOf({ ...parts, guarantee: 'at-least-once' })).toMatchObject([
      { severity: 'error', pointer: '/routes/r/guarantee', message: `at-least-once cannot hold: ${reason}` },
    ]);
    expect(problemsOf({ ...parts, guarantee: 'at-most-once' })).toEqual([]);
  });

  it('is not weakened by an option from the event that does not matter to it', () => {
    const to = { connection: 'yard', path: '${b}', keep: '${payload.keep}' };
    expect(problemsOf({ to, guarantee: 'at-least-once' })).toEqual([]);
  });

  it('may be demanded of one target alone', () => {
    const weak = { connection: 'yard', path: 'x', sure: false };
    expect(problemsOf({ to: [weak, toOffice({ guarantee: 'at-least-once' })] })).toEqual([]);
    expect(problemsOf({ to: [toOffice(), { ...weak, guarantee: 'at-least-once' }] })).toMatchObject([
      { pointer: '/routes/r/to/1/guarantee' },
    ]);
  });
});

describe('a source where anyone can write', () => {
  const open = { from: { connection: 'office', desk: 'd' }, to: { connection: 'floor', path: 'x' } };

  it('is pointed out when it reaches another system without allow', () => {
    expect(problemsOf(open)).toMatchObject([
      { severity: 'warning', pointer: '/routes/r/from', hint: 'say who may with "allow"' },
    ]);
  });

  it('is fine with allow, or within its own system', () => {
    expect(problemsOf({ ...open, allow: ['boss'] })).toEqual([]);
    expect(problemsOf({ ...open, to: toOffice({ desk: 'e' }) })).toEqual([]);
  });
});

describe('a path through a connection without marks and back to it', () => {
  const fan = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ connection: 'bare', path: `out/${index}` }));
  const warnings = (routes: unknown) => compile(routes).problems.filter(({ severity }) => severity === 'warning');

  it('is warned of: another gateway that sends back would make messages run without end', () => {
    const [warning, ...more] = warnings({ r: { from: { connection: 'bare', path: 'in/+' }, to: fan(2) } });
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ pointer: '/routes/r/to/0' });
    expect(warning?.message).toBe(
      'what comes from "bare" goes on to "bare", which carries no mark of the gateways passed: if another gateway sends it back, messages run without end, multiplied by up to 2 targets in each round',
    );
  });

  it('is found over several routes', () => {
    const routes = { there: hop('bare', 'in/+', 'yard', 'a/1'), back: hop('yard', 'a/+', 'bare', 'out/1') };
    expect(warnings(routes)).toMatchObject([{ pointer: '/routes/back/to' }]);
  });

  it('is none where it is accepted, where it does not lead back or where marks survive', () => {
    expect(warnings({ r: { from: { connection: 'bare', path: 'in/+' }, to: fan(2), allowEcho: true } })).toEqual([]);
    expect(warnings({ r: hop('bare', 'in/+', 'yard', 'a') })).toEqual([]);
    expect(warnings({ r: hop('yard', 'in/+', 'bare', 'a') })).toEqual([]);
    expect(warnings({ r: hop('yard', 'in/+', 'yard', 'out') })).toEqual([]);
  });

  it('is not warned of beside the error of a loop', () => {
    expect(messages({ self: hop('bare', 'a/#', 'bare', 'a/copy') })).toHaveLength(1);
  });
});

describe('a target that holds what it does not take', () => {
  const hall = (path: string, more: Record<string, unknown> = {}) => ({
    from: { connection: 'hall', path },
    to: toOffice(more),
  });

  it('is warned of once, with how much waits', () => {
    const { problems } = compile({ alarms: hall('alarm/+'), values: hall('value/+', { desk: 'd2' }) });
    expect(problems).toMatchObject([{ severity: 'warning', pointer: '/routes/alarms/to' }]);
    expect(problems[0]?.message).toBe(
      'while the backlog of "alarms/office/desk:d1", or of 1 more that hold it, is full, "hall" receives nothing from any of its 2 places',
    );
  });

  it('is warned of where places are held one by one, for what shares its place', () => {
    const board = (board: string, label: string) => ({
      from: { connection: 'office', board, label },
      to: { connection: 'yard', path: 'x' },
      allow: ['boss'],
    });
    const { problems } = compile({ one: board('b', 'x'), two: board('b', 'y'), three: board('c', 'x') });
    expect(problems.map(({ message }) => message)).toEqual([
      'while the backlog of "one/yard/path:x", or of 1 more that hold it, is full, "office" receives nothing from "b", which feeds 2 sources',
    ]);
    expect(problems[0]?.hint).toMatch(/a place of its own$/);
  });

  it('is none with one place, with another bound, without the log and where places are held one by one', () => {
    const free = { backlog: { onFull: 'dead-letter' } };
    const unlogged = {
      from: { connection: 'hall', path: 'value/+', durability: 'none' },
      to: toOffice({ desk: 'd2' }),
    };
    expect(messages({ one: hall('a/+'), two: hall('a/+', { desk: 'd2' }) })).toEqual([]);
    expect(messages({ one: hall('a/+', free), two: hall('b/+', { ...free, desk: 'd2' }) })).toEqual([]);
    expect(messages({ one: hall('a/+'), two: unlogged })).toEqual([]);
    expect(messages({ one: hop('yard', 'a/+', 'floor', 'x'), two: hop('yard', 'b/+', 'floor', 'y') })).toEqual([]);
    expect(messages({ one: hop('hall', 'a/+', 'hall', 'x'), two: hop('hall', 'b/+', 'hall', 'y') })).toEqual([]);
  });
});

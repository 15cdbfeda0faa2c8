import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compileRoutes, routesSchema } from '../src/index.ts';
import { book, compile, connections, officeAdapter, pathAdapter, problemsOf, toOffice } from './support/adapters.ts';

describe('a key that nobody reads', () => {
  it.each([
    [{ wen: 'true' }, '/routes/r/wen', 'did you mean "when"?'],
    [{ from: { connection: 'floor', path: 'a', sur: true } }, '/routes/r/from/sur', 'did you mean "sure"?'],
    [{ from: { connection: 'floor', path: 'a', texd: 'x' } }, '/routes/r/from/texd', 'did you mean "text"?'],
    [{ to: toOffice({ copeis: 2 }) }, '/routes/r/to/copeis', 'did you mean "copies"?'],
    [{ to: [toOffice({ headrs: {} })] }, '/routes/r/to/0/headrs', 'did you mean "headers"?'],
    [{ to: { connection: 'yard', path: 'x', desk: 'd' } }, '/routes/r/to/desk', undefined],
  ])('%j is pointed out with the nearest valid one', (parts, pointer, hint) => {
    const [problem] = problemsOf(parts);
    expect(problem).toMatchObject({ severity: 'error', pointer, atKey: true });
    if (hint !== undefined) expect(problem?.hint).toBe(hint);
  });
});

describe('a bound of a target on the connection the events come from', () => {
  const back = (backlog: object) => ({
    from: { connection: 'floor', path: 'a' },
    to: { connection: 'floor', path: 'b', ...backlog },
  });

  it('is pointed out when it would hold that connection back', () => {
    expect(problemsOf(back({ backlog: { bytes: '1MiB' } }))).toMatchObject([
      { severity: 'warning', pointer: '/routes/r/to/backlog', hint: expect.stringContaining('onFull: dead-letter') },
    ]);
  });

  it('is fine when it gives deliveries up, and when nobody asked for it', () => {
    expect(problemsOf(back({ backlog: { bytes: '1MiB', onFull: 'dead-letter' } }))).toEqual([]);
    expect(problemsOf(back({}))).toEqual([]);
    expect(problemsOf({ to: toOffice({ backlog: { bytes: '1MiB' } }) })).toEqual([]);
  });

  it('is fine where sends are confirmed while the connection is held', () => {
    const to = { ...toOffice({ backlog: { bytes: '1MiB' } }), desk: 'b' };
    expect(problemsOf({ from: { connection: 'office', desk: 'a' }, allow: ['owner'], to })).toEqual([]);
  });
});

describe('a value that does not fit', () => {
  it.each([
    [{ when: true }, '/routes/r/when'],
    [{ to: [] }, '/routes/r/to'],
    [{ retry: { attempts: 0 } }, '/routes/r/retry/attempts'],
    [{ retry: { backoff: { min: '1h' } } }, '/routes/r/retry/backoff'],
    [{ order: 'fifo' }, '/routes/r/order'],
    [{ to: toOffice({ start: 'yesterday' }) }, '/routes/r/to/start'],
    [{ to: toOffice({ id: 'a/b' }) }, '/routes/r/to/id'],
    [{ from: { connection: 'flor', path: 'a' } }, '/routes/r/from/connection'],
    [{ from: { path: 'a' } }, '/routes/r/from'],
    [{ from: { connection: 'floor', path: 5 } }, '/routes/r/from/path'],
    [{ from: { connection: 'floor', path: 'a', kind: 'massage' } }, '/routes/r/from/kind'],
  ])('%j is reported at its place', (parts, pointer) => {
    expect(problemsOf(parts)[0]).toMatchObject({ severity: 'error', pointer });
  });

  it.each([[[]], ['x'], [5]])('%j is no set of routes', (routes) => {
    expect(compile(routes).problems).toMatchObject([{ severity: 'error', pointer: '/routes' }]);
  });

  it('is no name of a route when it would not fit into names of consumers', () => {
    for (const name of ['$direct', 'a/b', '', 'a b']) {
      expect(compile({ [name]: {} }).problems).toMatchObject([{ severity: 'error', atKey: true }]);
    }
  });

  it('of one route leaves the others alone', () => {
    const good = { from: { connection: 'floor', path: 'a' }, to: toOffice() };
    const { routes, problems } = compile({ good, bad: { ...good, when: 'nope' } });
    expect(routes.targets.map(({ route }) => route)).toEqual(['good']);
    expect(problems).toHaveLength(1);
  });

  it('gives as many problems as there are mistakes', () => {
    const to = [toOffice({ text: '${x}' }), toOffice({ id: 'two', text: '${y}', priority: 99 })];
    expect(problemsOf({ when: 'z', key: '${w}', to }).map(({ pointer }) => pointer)).toEqual([
      '/routes/r/when',
      '/routes/r/key',
      '/routes/r/to/0/text',
      '/routes/r/to/1/priority',
    ]);
  });
});

describe("a connection's own subscribe", () => {
  it('is checked with the words of its adapter', () => {
    const floor = connections.get('floor')!;
    const broken = new Map([['floor', { ...floor, subscribe: ['x', { paht: 'a' }, { path: 'a/#' }] }]]);
    const { routes, problems } = compileRoutes({ routes: {}, connections: broken, gatewayId: 'gw', book });
    expect(problems.map(({ pointer }) => pointer)).toEqual(
      expect.arrayContaining(['/connections/floor/subscribe/0', '/connections/floor/subscribe/1']),
    );
    expect(routes.sources('floor')).toHaveLength(1);
  });
});

describe('sources', () => {
  it('are merged by place and options', () => {
    const from = (path: string, sure = true) => ({ from: { connection: 'yard', path, sure }, to: toOffice() });
    const { routes } = compile({ a: from('x/{one}'), b: from('x/{other}'), c: from('x/+'), d: from('x/+', false) });
    expect(routes.sources('yard').map(({ options }) => options)).toEqual([
      { path: 'x/{one}', sure: true },
      { path: 'x/+', sure: false },
    ]);
  });
});

describe('the schema for documentation', () => {
  const schema = routesSchema([pathAdapter, officeAdapter]);

  it('accepts a route of any adapter, with templates for options', () => {
    const from = { connection: 'floor', path: 'a', sure: false };
    const to = [toOffice({ copies: '${payload.n}' }), { connection: 'yard', path: 'x', keep: true }];
    expect(schema.safeParse({ r: { from, to, when: 'true' } }).success).toBe(true);
    expect(schema.safeParse({ r: { from: { ...from, x: 1 }, to } }).success).toBe(false);
  });

  it('describes every key', () => {
    const json = JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
    expect(json).toContain('Condition (CEL) an event must meet');
    expect(json).toContain('Ordering key of this target');
  });
});

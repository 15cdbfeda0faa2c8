import { type HeaderValue, HOP_LIMIT } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { compile, event, problemsOf, route, toOffice } from './support/adapters.ts';

const matches = (parts: Record<string, unknown>, of: Parameters<typeof event>[0] = {}) => route(parts).match(event(of));
const fromOffice = (parts: Record<string, unknown> = {}) => ({
  from: { connection: 'office', desk: 'ops', ...parts },
  to: { connection: 'floor', path: 'x' },
});
const atDesk = { source: 'office', address: { scheme: 'desk', segments: ['ops'] } };

describe('the kind of an event', () => {
  it('is message unless the route says otherwise', () => {
    const statuses = { from: { connection: 'floor', path: '#', kind: ['status', 'presence'] } };
    expect(matches({}, { kind: 'status' })).toHaveLength(0);
    expect(matches(statuses, { kind: 'status' })).toHaveLength(1);
    expect(matches(statuses)).toHaveLength(0);
  });

  it('is one that the connection’s protocol makes, or the route is an error', () => {
    expect(problemsOf({ ...fromOffice({ kind: 'message' }), allow: ['boss'] })).toEqual([]);
    expect(problemsOf({ ...fromOffice({ kind: ['message', 'presence', 'reply'] }), allow: ['boss'] })).toMatchObject([
      {
        severity: 'error',
        pointer: '/routes/r/from/kind',
        message: 'connection "office" of type office never receives an event of kind presence or reply',
        hint: 'it receives events of kind message',
      },
    ]);
  });
});

describe('the loop guard', () => {
  it('stops what this gateway has sent before, and what has passed too many', () => {
    expect(matches({}, { via: ['a', 'gw'] })).toHaveLength(0);
    expect(matches({}, { via: ['a', 'b'] })).toHaveLength(1);
    expect(matches({}, { via: Array.from({ length: HOP_LIMIT - 1 }, String) })).toHaveLength(1);
    expect(matches({}, { via: Array.from({ length: HOP_LIMIT }, String) })).toHaveLength(0);
  });
});

describe('allow', () => {
  const guarded = { ...fromOffice(), allow: ['boss', 'clerk'] };

  it('lets only those named through', () => {
    expect(matches(guarded, { ...atDesk, origin: { role: 'clerk' } })).toHaveLength(1);
    expect(matches(guarded, { ...atDesk, origin: { role: 'guest' } })).toHaveLength(0);
    expect(matches(guarded, { ...atDesk, origin: {} })).toHaveLength(0);
  });

  it('is checked at load', () => {
    expect(problemsOf({ ...guarded, allow: ['BOSS'] })).toMatchObject([{ pointer: '/routes/r/allow/0' }]);
    expect(problemsOf({ allow: ['boss'] })[0]?.message).toContain('has no meaning for path');
  });
});

describe('a replay of an earlier message', () => {
  const replay = { ...atDesk, content: '!go', origin: { role: 'boss', replay: true } };

  it('passes a plain route', () => {
    expect(matches(fromOffice(), replay)).toHaveLength(1);
  });

  it('never runs a command route', () => {
    expect(matches({ ...fromOffice({ text: '!{command}' }) }, replay)).toHaveLength(0);
    expect(matches({ ...fromOffice(), allow: ['boss'] }, replay)).toHaveLength(0);
    const live = { ...replay, origin: { role: 'boss', replay: false } };
    expect(matches({ ...fromOffice({ text: '!{command}' }), allow: ['boss'] }, live)).toHaveLength(1);
  });
});

describe('what was not said to us now', () => {
  const marked = (mark: object) => ({ ...atDesk, content: '!go', origin: { role: 'boss', ...mark } });

  it.each([
    { replay: true },
    { replaces: 'm1' },
    { retracts: 'm1' },
    { fallback: true },
    { encrypted: true },
    { copied: true },
    { late: true },
  ])('passes a plain route and never runs a command route: %j', (mark) => {
    expect(matches(fromOffice(), marked(mark))).toHaveLength(1);
    expect(matches({ ...fromOffice({ text: '!{command}' }) }, marked(mark))).toHaveLength(0);
    expect(matches({ ...fromOffice(), allow: ['boss'] }, marked(mark))).toHaveLength(0);
  });
});

describe('what was said while the gateway was away', () => {
  const command = { ...fromOffice({ text: '!{command}' }), allow: ['boss'] };
  const said = (origin: object) => ({ ...atDesk, content: '!go', origin: { role: 'boss', late: true, ...origin } });

  it('runs a command route that says so, and only if nothing else speaks against it', () => {
    expect(matches(command, said({}))).toHaveLength(0);
    expect(matches({ ...command, late: 'run' }, said({}))).toHaveLength(1);
    expect(matches({ ...command, late: 'run' }, said({ copied: true }))).toHaveLength(0);
    expect(matches({ ...command, late: 'run' }, said({ role: 'guest' }))).toHaveLength(0);
  });
});

describe('the ordering key', () => {
  it('is that of the event, the route or the target', () => {
    const to = [toOffice(), toOffice({ id: 'own', key: 'k-${b}' })];
    expect(matches({ to }).map(({ key }) => key)).toEqual(['path:a/x', 'k-x']);
    expect(matches({ key: '${payload.n}', to }, { json: { n: 7 } }).map(({ key }) => key)).toEqual(['7', 'k-x']);
  });

  it('is a rejected delivery when it cannot be computed', () => {
    const [match] = matches({ key: '${payload.n}' }, { json: {} });
    expect(match).toMatchObject({ key: 'path:a/x', error: { name: 'Rejected' } });
    expect(match?.error?.message).toContain('route "r": /routes/r/key');
  });

  it('that is the same for every event is pointed out', () => {
    expect(problemsOf({ key: 'payload.n' })).toMatchObject([{ severity: 'warning', pointer: '/routes/r/key' }]);
  });
});

describe('a condition that fails', () => {
  it('rejects the delivery to every target', () => {
    const to = [toOffice(), toOffice({ id: 'two' })];
    const got = matches({ when: 'payload.n > 1', to }, { json: {} });
    expect(got.map(({ error }) => error?.name)).toEqual(['Rejected', 'Rejected']);
  });

  it('may be made good by the other side of an "or"', () => {
    expect(matches({ when: 'payload.n > 1 || b == "x"' }, { json: {} })[0]?.error).toBeUndefined();
  });
});

describe('rendering', () => {
  it('rejects with the route and the place of the expression', () => {
    const [match] = matches({ to: toOffice({ text: 'n: ${payload.n}' }) }, { json: {} });
    expect(() => match?.target.render(event({ json: {} }))).toThrow(
      'route "r": /routes/r/to/text, characters 14 to 14: "payload.n" failed: No such key: n',
    );
  });

  it('rejects an event that no longer lies in the pattern', () => {
    const { target } = matches({ to: toOffice({ text: '${b}' }) })[0]!;
    const elsewhere = event({ address: { scheme: 'path', segments: [] } });
    expect(() => target.render(elsewhere)).toThrow('Unknown variable: b');
  });
});

describe('hostile input', () => {
  const nested = (depth: number): HeaderValue => {
    let value: HeaderValue = [];
    for (let at = 1; at < depth; at++) value = [value];
    return value;
  };
  const carrying = (depth: number) =>
    event({
      headers: [
        ['a', nested(depth)],
        ['b', nested(depth)],
      ],
    });

  it('nested without end ends as a rejection', () => {
    const routes = route({ to: toOffice({ payload: '${headers.a}' }) });
    const [match] = routes.match(carrying(100_000));
    expect(() => match?.target.render(carrying(100_000))).toThrow('nested more than 256 deep');
    expect(match?.target.render(carrying(50)).parts.body.byteLength).toBe(100);
  });

  it('that overflows the evaluation ends as a rejection', () => {
    const [match] = route({ when: 'headers.a == headers.b' }).match(carrying(100_000));
    expect(match?.error?.name).toBe('Rejected');
  });
});

describe('10,000 routes', () => {
  const many = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [
      `route-${index}`,
      { from: { connection: 'floor', path: `plant/d${index}/{what}` }, to: toOffice({ text: '${what}' }) },
    ]),
  );

  it('compile, and each event finds its own', () => {
    const { routes, problems } = compile(many);
    expect(problems).toEqual([]);
    const got = routes.match(event({ address: { scheme: 'path', segments: ['plant', 'd4711', 'alarm'] } }));
    expect(got.map(({ target }) => target.route)).toEqual(['route-4711']);
  });
});

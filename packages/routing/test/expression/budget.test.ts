import { Rejected } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { compile, event, problemsOf, route, toOffice } from '../support/adapters.ts';

const TOO_MANY_STEPS = 'this takes more than the 500000 steps that all expressions have for one event';

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);
const texts = (count: number, text: string): string[] => Array.from({ length: count }, () => text);

const errorOf = (parts: Record<string, unknown>, json: unknown): Rejected | undefined => {
  const [match] = route(parts).match(event({ json }));
  return match?.error;
};

describe('an expression that would stop the process', () => {
  it.each([
    [
      'nested loops',
      'payload.a.exists(x, payload.b.exists(y, x == y))',
      { a: numbers(24_000), b: numbers(24_000, 50_000) },
    ],
    ['a search in a loop', 'payload.a.exists(x, x in payload.b)', { a: numbers(24_000), b: numbers(24_000, 50_000) }],
    [
      'a search for texts',
      'payload.a.exists(x, x in payload.b)',
      { a: texts(500, 'y'.repeat(1000)), b: texts(500, `${'y'.repeat(999)}z`) },
    ],
    [
      'long texts compared',
      'payload.a.exists(x, payload.b.exists(y, x == y))',
      { a: texts(300, 'y'.repeat(1000)), b: texts(300, `${'y'.repeat(999)}z`) },
    ],
    [
      'long lists compared',
      'payload.a.exists(x, payload.b.exists(y, x == y))',
      {
        a: Array.from({ length: 100 }, () => numbers(500)),
        b: Array.from({ length: 100 }, () => [...numbers(499), -1]),
      },
    ],
    ['an error per element', 'payload.a.exists(x, x.nope > 1)', { a: Array.from({ length: 90_000 }, () => ({})) }],
    [
      'an error per element behind ||',
      'payload.a.all(x, x.nope > 1 || true)',
      { a: Array.from({ length: 90_000 }, () => ({})) },
    ],
    [
      'an error per element in has()',
      'payload.a.exists(x, has(x.b.c))',
      { a: Array.from({ length: 90_000 }, () => ({})) },
    ],
    [
      'a text in a text',
      'payload.s.contains(payload.t)',
      { s: 'a'.repeat(400_000), t: `${'a'.repeat(80_000)}b${'a'.repeat(80_000)}` },
    ],
    [
      'a text in a text, from its end',
      'payload.s.lastIndexOf(payload.t) > 0',
      { s: 'a'.repeat(400_000), t: `${'a'.repeat(80_000)}b${'a'.repeat(80_000)}` },
    ],
    [
      'a long text per element',
      'payload.a.exists(x, size(payload.s) == x)',
      { a: numbers(5000, 1), s: 'x'.repeat(100_000) },
    ],
    [
      'a pattern per element',
      'payload.a.exists(x, payload.s.matches("^(a+)+$"))',
      { a: numbers(50_000), s: `${'a'.repeat(50_000)}!` },
    ],
    ['a large pattern', 'payload.s.matches("(?i)[^b]{500}z")', { s: 'a'.repeat(900_000) }],
    [
      'a place per element that lists do not have',
      'payload.a.exists(x, x[?5].orValue(1) == 5)',
      { a: Array.from({ length: 90_000 }, () => []) },
    ],
    [
      'a time zone per element',
      'payload.a.exists(x, timestamp(x).getHours("Europe/Berlin") > 30)',
      { a: texts(20_000, '2026-01-01T10:00:00.000Z') },
    ],
    [
      'texts joined to one',
      'payload.a.exists(x, payload.b.join(",") == "")',
      { a: numbers(20_000), b: texts(20_000, 'x') },
    ],
    [
      'a text parsed per element',
      'payload.a.exists(x, double(payload.s) < 0.0)',
      { a: numbers(50_000), s: '1'.repeat(500_000) },
    ],
    [
      'a short text sought in a long one per element',
      'payload.a.exists(x, payload.s.contains(x))',
      { a: texts(200, 'abac'), s: 'ab'.repeat(50_000) },
    ],
    ['a short pattern per element', 'payload.a.exists(x, x.matches("^[0-9]+$"))', { a: texts(60_000, 'abc') }],
    ['bytes made per element', 'payload.a.exists(x, size(bytes(x)) == 99)', { a: texts(60_000, 'abc') }],
    ['JSON read per element', 'payload.a.exists(x, bytes(x).json().a == 5)', { a: texts(20_000, '{"a":1}') }],
    ['a type asked for per element', 'payload.a.exists(x, type(x) == string)', { a: numbers(80_000) }],
    [
      'maps compared',
      'payload.a.exists(x, payload.b.exists(y, x == y))',
      {
        a: numbers(250).map((c) => ({ a: 1, b: { c } })),
        b: numbers(250, 1000).map((c) => ({ a: 1, b: { c } })),
      },
    ],
    [
      'a list made per element',
      'payload.a.exists(x, [x, x, x, x, x, x, x, x] == payload.b)',
      { a: numbers(40_000), b: numbers(8, 90_000) },
    ],
    [
      'the keys of a large map',
      'payload.m.exists(k, payload.m[k] == 5)',
      { m: Object.fromEntries(numbers(60_000).map((n) => [`k${n}`, 1])) },
    ],
    [
      'lists joined per element',
      'payload.a.exists(x, size(payload.b + payload.b) < 0)',
      { a: numbers(20_000), b: numbers(20_000) },
    ],
  ])('is rejected: %s', (_, when, json) => {
    const error = errorOf({ when }, json);
    expect(error).toBeInstanceOf(Rejected);
    expect(error?.message).toContain('route "r": /routes/r/when, characters 1 to');
    expect(error?.message).toContain(TOO_MANY_STEPS);
  });

  it('is rejected before it is begun, for a duration of any length', () => {
    const error = errorOf({ when: 'duration(payload.s) > duration("1m")' }, { s: '1'.repeat(100_000) });
    expect(error?.message).toContain('duration() takes a text of at most 64 characters, got 100000');
  });

  it('is rejected as a whole, not taken for false in one element', () => {
    const json = { a: numbers(10), b: numbers(1000), c: numbers(1000, 5000) };
    const when = 'payload.a.exists(x, payload.b.all(y, payload.c.exists(z, z == y)) || x == 9)';
    expect(
      route({ when: 'payload.a.exists(x, payload.b.exists(y, y == 999 && x == 9))' }).match(event({ json })),
    ).toHaveLength(1);
    expect(
      compile({ r: { from: { connection: 'floor', path: 'a/x' }, to: toOffice(), when } }).problems[0]?.message,
    ).toContain('2 deep');
    const lets = { let: { slow: 'payload.b.exists(y, payload.c.exists(z, z == y))' }, when: 'slow || true' };
    expect(errorOf(lets, json)?.message).toContain(TOO_MANY_STEPS);
    expect(errorOf(lets, json)?.message).toContain('/routes/r/let/slow');
    const made = {
      let: { pairs: 'payload.b.map(x, payload.c.map(y, y))' },
      when: 'pairs.exists(l, l.exists(n, n < 0))',
    };
    expect(errorOf(made, json)?.message).toContain(TOO_MANY_STEPS);
  });

  it('is rejected in let, templates, keys and where it only fills memory', () => {
    const json = { a: numbers(20_000), s: 'x'.repeat(100_000) };
    const many = 'payload.a.map(x, payload.a.map(y, y))';
    expect(errorOf({ key: `\${size(${many})}` }, json)?.message).toContain('/routes/r/key');
    const doubled = Object.fromEntries(numbers(20).map((n) => [`d${n + 1}`, `d${n} + d${n}`]));
    expect(errorOf({ let: { d0: 'payload.s', ...doubled }, when: 'd20 == "x"' }, json)?.message).toContain(
      TOO_MANY_STEPS,
    );
    for (const target of [
      { payload: `\${${many}}` },
      { text: `\${${many}}` },
      { desk: `d\${size(${many})}` },
      { headers: { h: `\${${many}}` } },
    ]) {
      const [match] = route({ to: toOffice(target) }).match(event({ json }));
      expect(() => match?.target.render(event({ json }))).toThrow(TOO_MANY_STEPS);
    }
  });
});

describe('the budget', () => {
  const json = { a: numbers(2000), b: numbers(2000, 5000) };
  const slow = 'payload.a.exists(x, payload.b.exists(y, x == y))';

  it('is that of one event: what comes after has its own', () => {
    const routes = route({ when: slow });
    expect(routes.match(event({ json }))[0]?.error).toBeDefined();
    const small = { a: numbers(100), b: numbers(100, 5000) };
    expect(routes.match(event({ json: small }))).toEqual([]);
    expect(routes.match(event({ json: { a: [1], b: [1] } }))[0]?.error).toBeUndefined();
  });

  it('is shared by all routes of an event, but does not touch those without loops', () => {
    const from = { connection: 'floor', path: 'a/x' };
    const { routes } = compile({
      one: { from, when: slow, to: toOffice() },
      two: { from, when: 'payload.a.exists(x, x == 5)', to: toOffice() },
      three: { from, when: 'payload.a[0] == 0 && event.size > 1', key: '${payload.a[1]}', to: toOffice() },
    });
    const errors = routes.match(event({ json })).map(({ error, key }) => error?.message.slice(0, 12) ?? key);
    expect(errors).toEqual(['route "one":', 'route "two":', '1']);
  });

  it('suffices for lists and texts of a usual size', () => {
    const list = numbers(20_000).map((id) => ({ id, name: `device ${id}`, on: id % 2 === 0 }));
    const text = 'the motor of line three is too hot '.repeat(25_000);
    const whens = [
      'payload.list.exists(x, x.id == 19999 && x.name.startsWith("device") && !x.on)',
      'size(payload.list.filter(x, x.on)) == 10000',
      'payload.text.contains("line three is too hot") && payload.text.matches("(?i)motor|pump")',
      'payload.list.map(x, x.name).join(",").size() > 1000',
    ];
    for (const when of whens) {
      expect(errorOf({ when }, { list, text }), when).toBeUndefined();
      expect(route({ when }).match(event({ json: { list, text } })), when).toHaveLength(1);
    }
  });

  it('is renewed for each target and attempt', () => {
    const json = { list: numbers(60_000) };
    const routes = route({ to: toOffice({ payload: '${payload.list.filter(x, x > 5)}' }) });
    const of = event({ json });
    const [match] = routes.match(of);
    for (let attempt = 0; attempt < 6; attempt++) expect(() => match?.target.render(of)).not.toThrow();
  });
});

describe('a result larger than a message may be', () => {
  const json = { s: 'x'.repeat(10_000), list: numbers(3000) };
  const render = (target: Record<string, unknown>): unknown => {
    const from = { connection: 'floor', path: 'a/x' };
    const { routes, problems } = compile({ r: { from, to: toOffice(target) } }, { maxBodyBytes: 20_000 });
    expect(problems).toEqual([]);
    return routes.match(event({ json }))[0]?.target.render(event({ json }));
  };

  it.each([
    ['text', { text: '${payload.s}${payload.s}!' }],
    ['many texts', { text: '${payload.s}'.repeat(50) }],
    ['payload', { payload: ['${payload.s}', '${payload.s}'] }],
    ['payload made in a loop', { payload: '${payload.list.map(x, payload)}' }],
    ['base64', { base64: '${bytes(payload.s + payload.s + payload.s)}' }],
    ['header', { headers: { h: '${payload.list.map(x, payload.s)}' } }],
  ])('is rejected: %s', (_, target) => {
    expect(() => render(target)).toThrow('larger than the 20000 bytes of "gateway.limits.maxBodyBytes"');
    expect(() => render(target)).toThrow(Rejected);
  });

  it('is made up to that size', () => {
    expect(() => render({ text: '${payload.s}${payload.s}' })).not.toThrow();
  });
});

describe('a warning at load', () => {
  it.each([
    ['payload.a.exists(x, payload.b.exists(y, x == y))', ['payload.b']],
    ['payload.a.exists(x, x in payload.b)', ['payload.b']],
    ['payload.a.map(x, known.filter(y, y == x)).size() > 1', ['known']],
    ['payload.a.exists(x, x.tags.exists(y, y == "hot"))', []],
    ['payload.a.exists(x, x in [1, 2] || [3, 4].exists(y, y == x))', []],
    ['payload.a.exists(x, x in event.via)', []],
    ['payload.a.exists(x, x > 1) && payload.b.exists(y, y > 1)', []],
  ])('names the lists whose lengths are multiplied: %s', (when, lists) => {
    const problems = problemsOf({ let: { known: 'payload.known' }, when });
    const named = problems.map(({ range, severity, pointer }) => [
      severity,
      pointer,
      when.slice(range!.start, range!.end),
    ]);
    expect(named).toEqual(lists.map((list) => ['warning', '/routes/r/when', list]));
  });
});

import { Rejected } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { event, problemsOf, route } from '../support/adapters.ts';

/** The value of an expression over an event, as JSON. */
const resultOf = (expression: string, of = event({ json: {} }), parts: Record<string, unknown> = {}): unknown => {
  const routes = route({ ...parts, to: { connection: 'office', desk: 'd', payload: { value: `\${${expression}}` } } });
  const [match] = routes.match(of);
  if (match === undefined) throw new Error('no match');
  return JSON.parse(Buffer.from(match.target.render(of).parts.body).toString()).value;
};

const holds = (when: string, of: Parameters<typeof event>[0]): boolean => {
  const [match] = route({ when }).match(event(of));
  if (match?.error !== undefined) throw match.error;
  return match !== undefined;
};

describe('numbers of JSON and of expressions', () => {
  it.each([
    ['payload.n + 1', 6],
    ['1 + payload.n', 6],
    ['payload.n - 1.5', 3.5],
    ['payload.n * 2', 10],
    ['payload.n / 2', 2.5],
    ['payload.n % 2', 1],
    ['5 / 2', 2],
    ['payload.n * 1.8 + 32', 41],
    ['origin.level + 1', 3],
    ['origin.level * origin.ratio', 1],
    ['size(payload.list) + payload.n', 8],
    ['payload.list[1]', 20],
    ['payload.list[payload.i]', 20],
    ['-payload.n', -5],
  ])('%s is %j', (expression, expected) => {
    const of = event({ json: { n: 5, i: 1, list: [10, 20, 30] }, origin: { level: 2, ratio: 0.5 } });
    expect(resultOf(expression, of)).toEqual(expected);
  });

  it.each(['payload.n == 5', 'payload.n != 4', 'payload.n in [1, 5]', 'origin.level == 2', 'origin.level in [1, 2]'])(
    '%s holds',
    (when) => expect(holds(when, { json: { n: 5 }, origin: { level: 2 } })).toBe(true),
  );

  it('compares an integer with a fraction of the same value', () => {
    expect(holds('origin.level == 2.0 && 2.0 == origin.level', { origin: { level: 2 } })).toBe(true);
  });

  it('rejects a division by zero', () => {
    expect(() => resultOf('payload.n / 0', event({ json: { n: 1 } }))).toThrow('division by zero');
  });
});

describe('text and numbers joined by +', () => {
  it.each([
    ['"n" + 1', 'n1'],
    ['payload.n + "%"', '2.5%'],
    ['"is " + true', 'is true'],
    ['"a" + payload.s + b', 'aSx'],
  ])('%s is %j', (expression, expected) => {
    expect(resultOf(expression, event({ json: { n: 2.5, s: 'S' } }))).toBe(expected);
  });
});

describe('mixed lists and maps', () => {
  it('may be written as literals', () => {
    expect(resultOf('[1, "a", 2.5, null, {"k": [true]}]')).toEqual([1, 'a', 2.5, null, { k: [true] }]);
  });
});

describe('what may be missing', () => {
  it('is asked for with has() and optionals', () => {
    expect(holds('has(payload.a.b) && payload.a.b > 1', { json: { a: {} } })).toBe(false);
    expect(resultOf('payload.?a.?b.orValue("none")', event({ json: {} }))).toBe('none');
    expect(resultOf('headers.?x.orValue("none")')).toBe('none');
  });

  it('is false, not an error, for a body that is not JSON', () => {
    expect(holds('has(payload.a)', { content: 'plain' })).toBe(false);
  });

  it('is a rejection with the place and advice otherwise', () => {
    const [match] = route({ when: 'payload.severity >= 3' }).match(event({ json: { severty: 4 } }));
    expect(match?.error).toBeInstanceOf(Rejected);
    expect(match?.error?.message).toContain('/routes/r/when, characters 9 to 16');
    expect(match?.error?.message).toContain('.?severity.orValue(…)');
  });

  it('says that the body is not JSON when that is why', () => {
    const [match] = route({ when: 'payload.severity >= 3' }).match(event({ content: 'hot' }));
    expect(match?.error?.message).toContain('the body is not JSON');
  });
});

describe('a condition that is not true or false', () => {
  it('is a rejection at run time', () => {
    const [match] = route({ when: 'payload.ok' }).match(event({ json: { ok: 'yes' } }));
    expect(match?.error?.message).toContain('is string, not true or false');
  });

  it('is a problem at load when its type is known', () => {
    expect(problemsOf({ when: 'b + "x"' })).toMatchObject([
      { pointer: '/routes/r/when', message: 'expected a condition (bool), got an expression of type string' },
    ]);
  });
});

describe('names and types are checked at load', () => {
  it.each([
    ['paylod.a == 1', 'Unknown variable: paylod', 'did you mean "payload"?', 0, 6],
    ['event.adress == "x"', 'No such key: adress', 'did you mean "address"?', 6, 12],
    ['origin.lvel == 1', 'No such key: lvel', 'did you mean "level"?', 7, 11],
    ['origin.client.nam == "x"', 'No such key: nam', undefined, 14, 17],
    [
      'b.startWith("x")',
      "found no matching overload for 'string.startWith(string)'",
      'did you mean "startsWith"?',
      0,
      16,
    ],
    ['payload.a = 1', 'Unexpected character: =', 'compare with ==', 10, 11],
    ['payload.a &', 'Unexpected character: &', 'write && for "and"', 10, 11],
    ['', 'an empty expression', undefined, 0, 1],
  ])('%s', (when, message, hint, start, end) => {
    const [problem] = problemsOf({ when });
    expect(problem).toMatchObject({ severity: 'error', pointer: '/routes/r/when', message, range: { start, end } });
    if (hint !== undefined) expect(problem?.hint).toBe(hint);
  });

  it('suggests no word of the language for a name', () => {
    expect(problemsOf({ when: 'cal == 1' })[0]).not.toHaveProperty('hint');
  });

  it('says where in a template an expression is wrong', () => {
    const [problem] = problemsOf({ to: { connection: 'office', desk: 'd', text: 'a ${devce} b' } });
    expect(problem).toMatchObject({ pointer: '/routes/r/to/text', range: { start: 4, end: 9 } });
  });
});

describe('limits', () => {
  it.each([
    ['x'.repeat(5000), 'more than 4096'],
    ['payload.a.all(x, x.all(y, y.all(z, z > 1)))', 'nested more than 2 deep'],
    [`${'('.repeat(100)}1${')'.repeat(100)} == 1`, 'Exceeded max'],
  ])('refuse an expression that is too long or too deep (%#)', (when, message) => {
    expect(problemsOf({ when })[0]?.message).toContain(message);
  });

  it('lets two levels of loops through', () => {
    expect(holds('payload.a.exists(x, x.all(y, y > 1))', { json: { a: [[1], [2, 3]] } })).toBe(true);
  });
});

describe('regular expressions', () => {
  it('are matched in linear time', () => {
    const started = performance.now();
    expect(holds('payload.s.matches("^(a+)+$")', { json: { s: `${'a'.repeat(40)}!` } })).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('are matched inside loops too', () => {
    expect(holds('payload.l.exists(s, s.matches("^(b+)+$"))', { json: { l: ['a', 'bb'] } })).toBe(true);
  });

  it.each([
    ['payload.s.matches(payload.p)', 'needs its pattern as a literal'],
    ['payload.s.matches("(a")', 'not a usable regular expression'],
    ['payload.s.matches("(?=a)")', 'not a usable regular expression'],
  ])('%s is refused at load', (when, message) => {
    expect(problemsOf({ when })[0]?.message).toContain(message);
  });
});

describe('let', () => {
  it('names values for everything else, each after the ones it uses', () => {
    const parts = {
      let: { celsius: 'payload.f / 1.8', limits: { high: '30', low: 10 }, hot: 'celsius > limits.high' },
    };
    const of = event({ json: { f: 90 } });
    expect(resultOf('celsius', of, parts)).toBe(50);
    expect(resultOf('hot', of, parts)).toBe(true);
    expect(resultOf('limits', of, parts)).toEqual({ high: 30, low: 10 });
  });

  it('is rejected, not ignored, when it fails where it is needed', () => {
    const [match] = route({ let: { x: 'payload.y' }, when: 'x > 1' }).match(event({ json: {} }));
    expect(match?.error?.message).toContain('/routes/r/let/x');
  });

  it.each(['type', 'list', 'in', 'payload', 'null', 'size', 'a-b'])('cannot be called %s', (name) => {
    const [problem] = problemsOf({ let: { [name]: '1' } });
    expect(problem).toMatchObject({ pointer: `/routes/r/let/${name}` });
    expect(problem?.hint).toMatch(/for example/);
  });
});

describe('the variables', () => {
  const of = event({
    json: { s: 'x' },
    headers: [
      ['h', 'first'],
      ['h', 'last'],
      ['__proto__', 'p'],
    ],
    origin: { level: 1, tags: ['t'] },
    priority: 5,
    correlationId: 'c1',
  });

  it.each([
    ['text', '{"s":"x"}'],
    ['headers.h', 'last'],
    ['headersAll.h', ['first', 'last']],
    ['headers["__proto__"]', 'p'],
    ['event.address', 'path:a/x'],
    ['event.segments[1]', 'x'],
    ['event.kind', 'message'],
    ['event.priority + 1', 6],
    ['event.receivedAt - event.time', '0.5s'],
    ['event.time', '2023-11-14T22:13:20.000Z'],
    ['event.correlationId', 'c1'],
    ['event.retain', false],
    ['event.size', 9],
    ['origin', { level: 1, tags: ['t'] }],
    ['b', 'x'],
  ])('%s', (expression, expected) => {
    expect(resultOf(expression, of)).toEqual(expected);
  });

  it('do not reach into the host language', () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect(() => resultOf(`payload.${name === '__proto__' ? 'a' : name}`, event({ json: {} }))).toThrow(
        'No such key',
      );
      expect(problemsOf({ when: `${name} == 1` })[0]?.severity).toBe('error');
    }
  });

  it('text is an error for a body that is no text', () => {
    const binary = event({ body: Buffer.from([0xff, 0xfe]) });
    expect(() => resultOf('text', binary)).toThrow('neither in UTF-8');
  });
});
